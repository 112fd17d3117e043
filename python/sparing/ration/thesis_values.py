"""What chapter 3 of Jiménez González (2021) prints."""

from __future__ import annotations

CLASSIFICATION = {  # sec. 3.6 and table 4
    "accuracy": 0.912,
    "f1": 0.641,
    "supplier_precision": 0.615,
    "supplier_recall": 0.669,
    "retailer_precision": 0.955,
    "retailer_recall": 0.944,
}
OFR = {"ir_dnn": 0.6328, "fifo_strict": 0.6328 / 1.9001}  # the second follows from the gain
OFR_GAIN, MARGIN_GAIN = 0.9001, 0.0949  # of IR-DNN over strict FIFO, sec. 3.6
OFR_GAINS, MARGIN_GAINS = (0.799, 1.027), (0.05, 0.131)  # over the cases of sec. 3.7
CALIBRATED = {"fifo_strict": 0.338, "criticality": 0.886}  # OFR at 200 orders, 350 SKUs, 25 days
PRINTED = {
    "classification": CLASSIFICATION,
    "ofr": OFR,
    "ofr_gain": OFR_GAIN,
    "margin_gain": MARGIN_GAIN,
    "ofr_gains": OFR_GAINS,
    "margin_gains": MARGIN_GAINS,
}
