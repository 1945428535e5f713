"""A small MQTT 5 client session on the `mqtt5` codec; why it exists: docs/decisions/0003."""

from fleet.mqtt.broker import Broker, trust
from fleet.mqtt.connection import Connection, OnMessage
from fleet.mqtt.errors import (
    ConnectionLost,
    MessageRefused,
    MqttError,
    ProtocolViolation,
    PublicationRefused,
    Refused,
    SubscriptionRefused,
    TakenOver,
    Unreachable,
    WaitingLineFull,
)
from fleet.mqtt.message import Clock, Filter, Message, Session, Will
from fleet.mqtt.reconnect import Backoff, connections
from fleet.mqtt.route import Route, connect
from fleet.mqtt.settings import BrokerTrust

__all__ = [
    "Backoff",
    "Broker",
    "BrokerTrust",
    "Clock",
    "Connection",
    "ConnectionLost",
    "Filter",
    "Message",
    "MessageRefused",
    "MqttError",
    "OnMessage",
    "ProtocolViolation",
    "PublicationRefused",
    "Refused",
    "Route",
    "Session",
    "SubscriptionRefused",
    "TakenOver",
    "Unreachable",
    "WaitingLineFull",
    "Will",
    "connect",
    "connections",
    "trust",
]
