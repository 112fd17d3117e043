"""A small folder of spares: a store above two sites, one part, units one by one."""

from __future__ import annotations

SETTINGS = """
[plan]
period = 30
[spares]
periods = 4
beyond = 1
first = 2024-01-01
draws = 20
[[spares.location]]
name = "store"
supplier = "external"
capacity = 3
holding_cost = 4
order_cost = { fixed = 10, unit = 1 }
[[spares.location]]
name = "east"
supplier = "store"
capacity = 2
backorders = 1
holding_cost = 5
downtime_cost = 300
emergency_cost = 500
[[spares.location]]
name = "west"
supplier = "store"
capacity = 2
backorders = 1
holding_cost = 5
downtime_cost = 300
emergency_cost = 500
[[spares.part]]
name = "pump"
"""
HEADER = (
    "Component Name,Installation Date,Manufacturer,Damage Date,Design Life,Temperature,Humidity,"
    "Installation Location,Interval,O&M Shift\n"
)
FAILURES = (
    HEADER
    + """\
pump,2023-05-01,Acme,2024-03-01,10,21.5,40,east,E1,A
pump,2024-03-01,Acme,,10,,,east,E1,
pump,2023-06-01,Acme,,10,,,east,E2,
pump,2023-06-01,Birch,2024-10-10,10,30,55,west,W1,B
pump,2024-10-12,Acme,,10,,,west,W1,
pump,2023-07-01,Acme,2024-06-20,10,,,west,W2,C
pump,2024-06-20,Acme,2024-12-01,10,,,west,W2,C
pump,2024-12-01,Acme,,10,,,west,W2,
"""
)
STOCK = """\
Part,Location,Time,On Hand,Backordered
pump,store,2024-11-30,2,0
pump,east,2024-11-30,1,0
pump,west,2024-11-30,1,0
pump,store,2024-12-31,1,0
pump,east,2024-12-31,0,0
pump,west,2024-12-31,0,1
"""
ORDERS = """\
Part,Location,Quantity,Ordered,Received
pump,store,2,2024-03-05,2024-04-11
pump,store,1,2024-07-01,2024-08-20
pump,store,2,2024-10-15,2024-11-20
pump,east,1,2024-03-01,2024-03-06
pump,west,1,2024-06-20,2024-06-29
pump,west,1,2024-10-10,2024-10-12
pump,west,1,2024-12-01,
"""
COUNTS = """\
Component Name,Location,Start,Failures,Exposure
pump,east,2024-01-01,1,60
pump,east,2024-01-31,0,60
pump,west,2024-01-01,0,62
pump,west,2024-01-31,2,58
"""


def write_folder(
    folder,
    *,
    settings=SETTINGS,
    failures=FAILURES,
    stock=STOCK,
    orders=ORDERS,
):
    """Write the folder; None leaves a file out."""
    folder.mkdir(exist_ok=True)
    texts = {
        "plan.toml": settings,
        "failures.csv": failures,
        "stock.csv": stock,
        "orders.csv": orders,
    }
    for name, text in texts.items():
        if text is not None:
            (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder
