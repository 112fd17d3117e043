"""Chromium without a window, from the system's packages, with what it says and what it asks for."""

from __future__ import annotations

import base64
import json
import shutil

import pytest

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")


def start():
    """Return a driver, or skip where there is no browser."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs pip install '.[test]'")
    if BROWSER is None or DRIVER is None:
        pytest.skip("needs Chromium and its driver: apt-get install chromium chromium-driver")
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = BROWSER
    for switch in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service(DRIVER))


def show(driver, path, *, width=1280, height=900):
    """Open a file in a window of that width, as a phone or a desk has it."""
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
    )
    driver.get_log("browser")
    driver.get_log("performance")
    driver.get(path.as_uri())


def said(driver):
    """Return what the console holds since the page was opened."""
    return [entry["message"] for entry in driver.get_log("browser")]


def requested(driver):
    """Return the addresses the page asked for."""
    found = []
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            found.append(message["params"]["request"]["url"])
    return found


def overflow(driver):
    """Return by how many pixels the page is wider than its window."""
    return driver.execute_script(
        "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )


def cut_off(driver):
    """Return elements that end beyond the window and cannot be scrolled to."""
    return driver.execute_script(
        """
        const wide = document.documentElement.clientWidth;
        const scrolls = element => element && (
          ["auto", "scroll"].includes(getComputedStyle(element).overflowX)
          || scrolls(element.parentElement));
        return [...document.querySelectorAll("body *")].filter(element => {
          const box = element.getBoundingClientRect();
          return box.width > 0 && box.right > wide + 1 && !scrolls(element);
        }).map(element => element.outerHTML.slice(0, 120));
        """
    )


def picture(driver, path):
    """Save what is seen of the whole page."""
    found = driver.execute_cdp_cmd(
        "Page.captureScreenshot", {"format": "png", "captureBeyondViewport": True}
    )
    path.write_bytes(base64.b64decode(found["data"]))


def printed(driver):
    """Return the page on A4 as PDF."""
    found = driver.execute_cdp_cmd(
        "Page.printToPDF", {"paperWidth": 8.27, "paperHeight": 11.69, "printBackground": True}
    )
    return base64.b64decode(found["data"])
