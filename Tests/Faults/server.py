"""A private sshd with keys of its own, on a loopback port or at the far end of a cable."""

import os
import socket
import subprocess
import time


class Server:
    """Lives until `close`; its files are in `folder`."""

    def __init__(self, folder, cable=None):
        self.folder = folder
        self.host = cable.host if cable else "127.0.0.1"
        os.makedirs(folder, exist_ok=True)
        for name in ("host_key", "client_key"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "rounds", "-f", f"{folder}/{name}"], check=True)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        listing = subprocess.run(
            ["ssh-keygen", "-l", "-E", "sha256", "-f", f"{folder}/host_key"], check=True, capture_output=True, text=True)
        self.fingerprint = listing.stdout.split()[1]
        with open(f"{folder}/sshd_config", "w") as file:
            file.write(
                f"Port {self.port}\nListenAddress {self.host}\nHostKey {folder}/host_key\n"
                f"AuthorizedKeysFile {folder}/client_key.pub\nPidFile {folder}/sshd.pid\nStrictModes no\nUsePAM no\n"
                "PermitRootLogin yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
                "MaxStartups 200:30:400\nSubsystem sftp internal-sftp\n")
        if os.getuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)
        self.process = subprocess.Popen(
            [*(cable.wrapper if cable else []), "/usr/sbin/sshd", "-D", "-e", "-f", f"{folder}/sshd_config"], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=open(f"{folder}/sshd.log", "w"))
        for _ in range(500):
            try:
                socket.create_connection((self.host, self.port)).close()
                return
            except OSError:
                time.sleep(0.02)
        raise SystemExit("sshd does not start: " + open(f"{folder}/sshd.log").read())

    def close(self):
        self.process.kill()
        self.process.wait()
