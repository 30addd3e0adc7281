"""The AWS stack: one construct a file, composed by `infra.stack.DaybookStack`."""
