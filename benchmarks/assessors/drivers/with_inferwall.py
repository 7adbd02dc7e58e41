"""Drives inferwall with what is in its wheel."""

import inferwall
from serve import serve

serve(lambda text: {"harm": float(inferwall.scan_input(text).decision != "allow")})
