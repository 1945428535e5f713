"""How a terminal's broker password follows from one secret."""

import hashlib
import hmac

PASSWORD_LENGTH = 32


def terminal_password(secret: str, terminal: str) -> str:
    """Return the password of one terminal: HMAC-SHA256 of its id, 32 hexadecimal digits.

    The broker's password file and the simulator both derive it, so that no list is passed about.
    """
    digest = hmac.new(secret.encode(), terminal.encode(), hashlib.sha256)
    return digest.hexdigest()[:PASSWORD_LENGTH]
