"""Đèn Xanh: adaptive traffic-signal control, from the simulator to the street."""

__version__ = "0.1.0"
