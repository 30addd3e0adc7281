"""The functions: one thin file each, over the code that the SDK uses."""
