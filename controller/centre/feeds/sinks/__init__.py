"""The ways to a receiver; which one a feed takes, its `[feed.to]` says."""

from __future__ import annotations

from pathlib import Path

from denxanh.controller.centre.feeds.contract import Sink
from denxanh.controller.centre.feeds.settings import To, ToFolder, ToHttp, ToMqtt, ToSyslog
from denxanh.controller.centre.feeds.sinks.folder import FolderSink
from denxanh.controller.centre.feeds.sinks.http import HttpSink
from denxanh.controller.centre.feeds.sinks.syslog import SyslogSink


def make(feed: str, to: To, folder: Path) -> Sink:
    """The sink of a feed; nothing is connected, and no key is read, before the first message.

    Args:
        feed: its name.
        to: where to.
        folder: where relative paths of files start.

    Raises:
        MissingExtraError: MQTT is asked for and aiomqtt is not installed.
    """
    match to:
        case ToHttp():
            return HttpSink(feed, to, folder)
        case ToSyslog():
            return SyslogSink(feed, to, folder)
        case ToFolder():
            return FolderSink(feed, to, folder)
        case ToMqtt():
            from denxanh.controller.centre.feeds.sinks.mqtt import MqttSink

            return MqttSink(feed, to, folder)
