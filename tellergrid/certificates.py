"""A certificate authority for tests, and certificates of it: a fleet's, its services', a broker's.

For trying out mutual TLS, not for a bank: its key lies in a file beside the certificates.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from simulator.certificates import AUTHORITY, Certificates
from tellergrid.stack.errors import StackError

_CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH
_SERVER = ExtendedKeyUsageOID.SERVER_AUTH
_SINCE = timedelta(minutes=5)
"""How far clocks may differ: a certificate is good from so long ago."""


class Authority:
    """The one in a folder, made when there is none; raises StackError for files that are of no use.

    What it has issued stays as it is: it issues what is missing.
    """

    def __init__(self, files: Certificates, lasts: timedelta) -> None:
        self._files = files
        self._lasts = lasts
        files.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._key = self._load_or_make()

    def issue(self, names: Iterable[str]) -> int:
        """Certificates for clients of these names, where they have none; how many were made."""
        return sum(self._issue(name, _CLIENT, None) for name in names)

    def issue_server(self, name: str, hosts: Sequence[str]) -> int:
        """A certificate for a broker that is reached by these host names and addresses."""
        return self._issue(name, _SERVER, x509.SubjectAlternativeName(list(map(_general, hosts))))

    def _load_or_make(self) -> ec.EllipticCurvePrivateKey:
        pem, key = self._files.pem(AUTHORITY), self._files.key(AUTHORITY)
        if not pem.exists():
            return self._make()
        try:
            found = serialization.load_pem_private_key(key.read_bytes(), None)
        except (OSError, ValueError) as error:
            text = f"{key}: the key of {pem} is not there or no key: {error}"
            raise StackError(text) from error
        if not isinstance(found, ec.EllipticCurvePrivateKey):
            raise StackError(f"{key} is not a key that was made here; name another folder")
        return found

    def _make(self) -> ec.EllipticCurvePrivateKey:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(_NAME, key.public_key(), key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        builder = builder.add_extension(_usage(signs_certificates=True), True)
        self._write(AUTHORITY, builder.sign(key, hashes.SHA256()), key)
        return key

    def _issue(
        self, name: str, use: x509.ObjectIdentifier, hosts: x509.SubjectAlternativeName | None
    ) -> int:
        if self._files.pem(name).exists():
            return 0
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = self._builder(subject, key.public_key(), self._key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        builder = builder.add_extension(_usage(signs_certificates=False), True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([use]), False)
        if hosts is not None:
            builder = builder.add_extension(hosts, False)
        self._write(name, builder.sign(self._key, hashes.SHA256()), key)
        return 1

    def _builder(
        self,
        subject: x509.Name,
        of: ec.EllipticCurvePublicKey,
        by: ec.EllipticCurvePublicKey,
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(_NAME)
            .public_key(of)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _SINCE)
            .not_valid_after(now + self._lasts)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(of), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by), False)
        )

    def _write(
        self, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
    ) -> None:
        """The key first: where there is a certificate, there is its key."""
        pem = serialization.Encoding.PEM
        plain = key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path = self._files.key(name)
        path.touch(mode=0o600)
        path.write_bytes(plain)
        self._files.pem(name).write_bytes(certificate.public_bytes(pem))


_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tellergrid test authority")])


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
