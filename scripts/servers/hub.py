#!/usr/bin/env python3
"""Speaks the protocol of the Hugging Face hub for data sets in a folder, and misbehaves on request.

    hub.py FOLDER

FOLDER/hub.json describes the data sets:

    {"own/set": {"refs": {"main": COMMIT}, "gated": false, "lfs": [".parquet"],
                 "faults": {"FILE": {"cut": 100, "times": 1}}}}

The files of a commit lie in FOLDER/own/set/COMMIT/. Files whose names end as `lfs` says are served by a
redirect to another host, as the hub's large files are. A fault holds for the first `times` downloads of a
file: `cut` ends the connection after so many bytes, `stall` does so and sends nothing more for `seconds`
(5) before, `flip` changes the byte at this place, `status`
answers with an error, `whole` ignores the range. The first line of the output is the address; each
request is a line of FOLDER/requests.log: method, path, the range, and whether a token came with it.
"""

import hashlib
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

FOLDER = Path(sys.argv[1])
TOKEN = "hf_right"
CDN = "/cdn/"


class Hub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.answer()

    def answer(self):
        path = unquote(urlsplit(self.path).path)
        token = self.headers.get("Authorization", "")
        asked = self.headers.get("Range", "-")
        with open(FOLDER / "requests.log", "a") as log:
            print(self.command, path, asked, "token" if token else "-", file=log)
        sets = json.loads((FOLDER / "hub.json").read_text())
        if path.startswith(CDN):
            name, commit, file = path[len(CDN) :].split("|")
            return self.file(sets[name], FOLDER / name / commit / file, file)
        if path.startswith("/api/datasets/"):
            name, _, revision = path[len("/api/datasets/") :].partition("/revision/")
            return self.with_commit(sets, name, revision or "main", self.info)
        if path.startswith("/datasets/"):
            name, _, rest = path[len("/datasets/") :].partition("/resolve/")
            known = sets.get(name, {"refs": {}})
            revisions = [*known["refs"], *known["refs"].values()]
            revision = next((r for r in revisions if rest.startswith(r + "/")), rest.split("/")[0])
            file = rest[len(revision) + 1 :]
            return self.with_commit(
                sets, name, revision, lambda *args: self.resolve(*args, file, token)
            )
        self.refuse(404, "Unknown")

    def with_commit(self, sets, name, revision, then):
        if name not in sets:
            return self.refuse(401, "RepoNotFound")
        refs = sets[name]["refs"]
        commit = refs.get(revision, revision if revision in refs.values() else None)
        if commit is None:
            return self.refuse(404, "RevisionNotFound")
        then(name, sets[name], commit)

    def info(self, name, about, commit):
        siblings = []
        top = FOLDER / name / commit
        for path in sorted(p for p in top.rglob("*") if p.is_file()):
            data = path.read_bytes()
            file = {"rfilename": str(path.relative_to(top)), "size": len(data)}
            if is_large(about, file["rfilename"]):
                sha256 = hashlib.sha256(data).hexdigest()
                file["lfs"] = {"sha256": sha256, "size": len(data), "pointerSize": 134}
            siblings.append(file)
        siblings += [{"rfilename": name} for name in about.get("more", [])]
        info = {"id": name, "sha": commit, "siblings": siblings, "gated": about.get("gated", False)}
        self.send(200, json.dumps(info).encode(), {"Content-Type": "application/json"})

    def resolve(self, name, about, commit, file, token):
        if about.get("gated") and token != f"Bearer {TOKEN}":
            return self.refuse(403 if token else 401, "GatedRepo")
        path = FOLDER / name / commit / file
        if not path.is_file():
            return self.refuse(404, "EntryNotFound", {"X-Repo-Commit": commit})
        data = path.read_bytes()
        headers = {"X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        if not is_large(about, file):
            blob = b"blob %d\0" % len(data) + data
            headers["ETag"] = f'"{hashlib.sha1(blob).hexdigest()}"'
            return self.file(about, path, file, headers)
        # Another name of this host stands for the host of large files.
        host = f"http://localhost:{self.server.server_port}"
        headers["Location"] = f"{host}{CDN}" + quote(f"{name}|{commit}|{file}")
        headers["X-Linked-Size"] = str(len(data))
        headers["X-Linked-ETag"] = f'"{hashlib.sha256(data).hexdigest()}"'
        self.send(302, b"", headers)

    def file(self, about, path, file, headers=None):
        data = path.read_bytes()
        size, status, headers = len(data), 200, dict(headers or {})
        asked = self.headers.get("Range", "")
        # The question for the size, one byte long, is answered without fault.
        fault = {} if self.command == "HEAD" or asked == "bytes=0-0" else self.fault(about, file)
        if "status" in fault:
            return self.refuse(fault["status"], "")
        if "flip" in fault:
            at = fault["flip"]
            data = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        if asked.startswith("bytes=") and "whole" not in fault:
            start, _, end = asked[len("bytes=") :].partition("-")
            start, end = int(start), min(int(end or size - 1), size - 1)
            if start >= size:
                return self.refuse(416, "", {"Content-Range": f"bytes */{size}"})
            data, status = data[start : end + 1], 206
            headers["Content-Range"] = f"bytes {start}-{end}/{size}"
        wait = fault.get("seconds", 5) if "stall" in fault else 0
        self.send(status, data, headers, fault.get("cut", fault.get("stall")), wait)

    def fault(self, about, file):
        fault = about.get("faults", {}).get(file, {})
        used = self.server.used
        used[file] = used.get(file, 0) + 1
        return fault if used[file] <= fault.get("times", 0) else {}

    def refuse(self, status, code, headers=None):
        self.send(status, b"{}", {"X-Error-Code": code, "X-Error-Message": code, **(headers or {})})

    def send(self, status, body, headers, cut=None, wait=0):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[:cut])
            self.wfile.flush()
            time.sleep(wait)
        if cut is not None:
            self.close_connection = True


def is_large(about, file):
    return any(file.endswith(end) for end in about.get("lfs", []))


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.used = {}
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
