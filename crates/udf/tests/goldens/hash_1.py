"""Writes hash_1.tsv: SQL, and what it must give, computed without any code of this project.

Needs the package `blake3`. The file that it wrote is immutable, as every golden is; this program is kept to show where
the values come from, and is not run by the tests. `docs/specs/functions-hash.md` says what is computed here.
"""

import math
import struct
from blake3 import blake3


def digits(data, n):
    return blake3(data).digest()[:n].hex()


def h64(data):
    return str(int.from_bytes(blake3(data).digest()[:8], "big", signed=True))


def u64(n):
    return n.to_bytes(8, "big")


def count(tag, n):
    return tag + n.to_bytes(16, "big", signed=True)


NULL = b"n"
def boolean(x): return b"b" + bytes([int(x)])
def integer(x): return count(b"i", x)
def floating(x):
    if math.isnan(x):
        return b"f" + bytes.fromhex("7ff8000000000000")
    return b"f" + struct.pack(">d", x + 0.0 if x != 0 else 0.0)
def decimal(unscaled, scale):
    if unscaled == 0:
        scale = 0
    while unscaled != 0 and unscaled % 10 == 0:
        unscaled //= 10
        scale -= 1
    return b"d" + struct.pack(">i", scale) + unscaled.to_bytes(32, "big", signed=True)
def text(s):
    b = s.encode("utf-8")
    return b"t" + u64(len(b)) + b
def binary(b): return b"x" + u64(len(b)) + b
def date(days): return count(b"D", days * 86_400_000)
def time(ns): return count(b"T", ns)
def local(ns): return count(b"S", ns)
def instant(ns): return count(b"Z", ns)
def duration(ns): return count(b"U", ns)
def interval(m, d, ns): return b"V" + struct.pack(">iiq", m, d, ns)
def lst(items): return b"l" + u64(len(items)) + b"".join(items)
def struct_(fields): return b"s" + u64(len(fields)) + b"".join(text(k) + v for k, v in fields)
def mp(entries): return b"m" + u64(len(entries)) + b"".join(k + v for k, v in entries)


LONG = "The quick brown fox jumps over the lazy dog. " * 40
rows = []
for s in ["", "abc", "a", "é", "日本語", "😀", "A" * 64, "A" * 65, "x" * 1024, "x" * 1025, LONG]:
    q = "'" + s.replace("'", "''") + "'"
    rows += [
        (f"stable_hash64({q})", h64(s.encode())),
        (f"stable_hash128({q})", digits(s.encode(), 16)),
        (f"prefixed_hash64('p', {q})", "p:" + digits(s.encode(), 8)),
        (f"stable_id('p', {q})", "p:" + digits(s.encode(), 16)),
        (f"stable_hash_any({q})", digits(text(s), 16)),
    ]
rows += [
    ("stable_hash64(X'')", h64(b"")),
    ("stable_hash64(X'00ff80')", h64(bytes([0, 255, 128]))),
    ("stable_hash128(X'00ff80')", digits(bytes([0, 255, 128]), 16)),
    ("prefixed_hash64('größe', 'a')", "größe:" + digits(b"a", 8)),
]
parts = [
    ("'a', 'b'", text("a") + text("b")),
    ("'ab'", text("ab")),
    ("'a', NULL", text("a") + NULL),
    ("NULL", NULL),
    ("'a', ''", text("a") + text("")),
    ("'a', 1, true", text("a") + integer(1) + boolean(True)),
]
for sql, data in parts:
    rows += [
        (f"stable_id_parts('p', {sql})", "p:" + digits(data, 16)),
        (f"prefixed_hash_parts64('p', {sql})", "p:" + digits(data, 8)),
        (f"stable_hash_any({sql})", digits(data, 16)),
    ]
rows.append(("span_id('def', 'src/a.py', span_make(3, 8))", "def:" + digits(text("src/a.py") + integer(3) + integer(8), 16)))
DAY = 86_400_000_000_000
any_ = [
    ("false", boolean(False)),
    ("0", integer(0)), ("1", integer(1)), ("-1", integer(-1)),
    ("arrow_cast(200, 'UInt8')", integer(200)),
    ("arrow_cast(18446744073709551615, 'UInt64')", integer(2**64 - 1)),
    ("-9223372036854775807", integer(-(2**63 - 1))),
    ("arrow_cast(1.5, 'Float64')", floating(1.5)),
    ("arrow_cast(1.5, 'Float32')", floating(1.5)),
    ("arrow_cast(1.5, 'Float16')", floating(1.5)),
    ("arrow_cast('-0', 'Float64')", floating(0.0)),
    ("arrow_cast('NaN', 'Float64')", floating(math.nan)),
    ("arrow_cast('inf', 'Float64')", floating(math.inf)),
    ("arrow_cast('0.1', 'Float64')", floating(0.1)),
    ("arrow_cast('1.50', 'Decimal128(10, 2)')", decimal(150, 2)),
    ("arrow_cast('1.5', 'Decimal128(20, 4)')", decimal(15000, 4)),
    ("arrow_cast('1.5', 'Decimal256(60, 4)')", decimal(15, 1)),
    ("arrow_cast('-1200', 'Decimal128(10, 0)')", decimal(-1200, 0)),
    ("arrow_cast('0', 'Decimal128(10, 3)')", decimal(0, 3)),
    ("X'00ff'", binary(bytes([0, 255]))),
    ("DATE '1970-01-02'", date(1)), ("DATE '1969-12-31'", date(-1)), ("DATE '2026-11-27'", date(20784)),
    ("arrow_cast(DATE '1970-01-02', 'Date64')", date(1)),
    ("arrow_cast('12:30:00', 'Time32(Second)')", time(45000 * 10**9)),
    ("arrow_cast('12:30:00', 'Time64(Nanosecond)')", time(45000 * 10**9)),
    ("arrow_cast('1970-01-02T00:00:01', 'Timestamp(Second, None)')", local(DAY + 10**9)),
    ("arrow_cast('1970-01-02T00:00:01', 'Timestamp(Nanosecond, None)')", local(DAY + 10**9)),
    ("arrow_cast('1970-01-02T00:00:01Z', 'Timestamp(Microsecond, Some(\"UTC\"))')", instant(DAY + 10**9)),
    ("arrow_cast('1970-01-02T01:00:01+01:00', 'Timestamp(Millisecond, Some(\"+05:00\"))')", instant(DAY + 10**9)),
    ("arrow_cast(90, 'Duration(Second)')", duration(90 * 10**9)),
    ("INTERVAL '1' MONTH", interval(1, 0, 0)),
    ("arrow_cast(INTERVAL '2 DAY 3 SECOND', 'Interval(MonthDayNano)')", interval(0, 2, 3 * 10**9)),
    ("[1, NULL, 2]", lst([integer(1), NULL, integer(2)])),
    ("make_array()", lst([])),
    ("[[1], []]", lst([lst([integer(1)]), lst([])])),
    ("['a', 'b']", lst([text("a"), text("b")])),
    ("named_struct('a', 1, 'b', 'x')", struct_([("a", integer(1)), ("b", text("x"))])),
    ("span_make(3, 8)", struct_([("start", integer(3)), ("end", integer(8))])),
    ("MAP {'k': 1, 'j': NULL}", mp([(text("k"), integer(1)), (text("j"), NULL)])),
    ("1, 'a', NULL, true", integer(1) + text("a") + NULL + boolean(True)),
]
rows += [(f"stable_hash_any({sql})", digits(data, 16)) for sql, data in any_]
with open(__file__.replace(".py", ".tsv"), "w", encoding="utf-8", newline="\n") as out:
    for sql, expected in rows:
        out.write(f"{sql}\t{expected}\n")
