"""How judged data is written: each file is a format. `embassay.evaluate.data.base` has the contract."""
