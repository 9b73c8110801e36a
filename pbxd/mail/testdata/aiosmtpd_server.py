"""SMTP server of Debian's python3-aiosmtpd for tests. Prints its port, then each mail as a line of JSON."""
import argparse
import asyncio
import json
import ssl
import sys
import warnings

from aiosmtpd.smtp import SMTP, AuthResult

USER, PASSWORD = b"anna@example.com", "Grüße aus Köln".encode()


class Handler:
    def __init__(self):
        self.greylisted = set()

    async def handle_MAIL(self, server, session, envelope, address, options):
        if address.startswith("bad@"):
            return "553 5.7.1 sender is not yours"
        envelope.mail_from = address
        return "250 2.1.0 sender ok"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 5.1.1 no such user"
        if address.startswith("grey@") and address not in self.greylisted:
            self.greylisted.add(address)
            return "451 4.7.1 greylisted"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 receiver ok"

    async def handle_DATA(self, server, session, envelope):
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "content": envelope.content.decode("utf-8"),
            "login": bool(session.authenticated),
        }
        print(json.dumps(mail), flush=True)
        return "250 2.0.0 taken"


def check(server, session, envelope, mechanism, data):
    good = data.login == USER and data.password == PASSWORD
    return AuthResult(success=good, handled=False)


async def main():
    args = argparse.ArgumentParser()
    args.add_argument("--security", choices=["none", "starttls", "tls"], required=True)
    args.add_argument("--login", action="store_true")
    args.add_argument("--cert")
    args.add_argument("--key")
    args = args.parse_args()
    context = None
    if args.security != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(args.cert, args.key)
    handler = Handler()

    def session():
        return SMTP(
            handler,
            hostname="mail.test",
            enable_SMTPUTF8=True,
            tls_context=context if args.security == "starttls" else None,
            require_starttls=args.security == "starttls",
            authenticator=check,
            auth_required=args.login,
            auth_require_tls=args.security == "starttls",
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(session, "127.0.0.1", 0, ssl=context if args.security == "tls" else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    # The test closes standard input to end the server.
    await loop.run_in_executor(None, sys.stdin.read)


warnings.simplefilter("ignore")
asyncio.run(main())
