"""The collector: MQTT in, rules run, one transaction a batch, acknowledged after the commit."""
