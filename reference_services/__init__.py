"""The platform under test: five small Flask services that speak the Airbourne contract."""
