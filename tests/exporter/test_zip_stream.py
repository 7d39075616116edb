import io
import struct
import zipfile

from hypothesis import given
from hypothesis import strategies as st

from audit_exporter.zip_stream import ZipStream


@given(
    st.dictionaries(st.text("abcé/", min_size=1, max_size=9), st.lists(st.binary(max_size=200)), max_size=5)
)
def test_an_archive_reads_back_as_it_was_written(members):
    file = io.BytesIO()
    archive = ZipStream(file)
    for name, pieces in members.items():
        archive.begin(name)
        for piece in pieces:
            archive.write(piece)
        archive.end()
    archive.finish()
    with zipfile.ZipFile(file) as read:
        assert read.testzip() is None
        assert {name: read.read(name) for name in read.namelist()} == {
            name: b"".join(pieces) for name, pieces in members.items()
        }


def test_local_headers_hold_sizes_and_no_descriptor_follows():
    file = io.BytesIO()
    archive = ZipStream(file)
    archive.add("a", b"x" * 1000)
    archive.finish()
    flags, _, _, _, crc, packed, size = struct.unpack("<HHHHLLL", file.getvalue()[6:26])
    assert not flags & 0x08
    assert (crc != 0, packed > 0, size) == (True, True, 1000)
