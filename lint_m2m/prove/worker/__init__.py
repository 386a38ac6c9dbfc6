"""The process that runs a proof with real Django: the only code of lint-m2m that imports it for that.

``python -m lint_m2m.prove.worker`` reads one JSON request from stdin and writes events to stdout, one JSON object a
line. stdin stays open as long as somebody waits for the answer; at its end the proof is given up and its databases are
dropped.
"""
