"""Fetching the backbones' weights: Keras's own names and md5 sums, on a loopback server."""

import hashlib
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import h5py
import numpy as np
import pytest
from keras.src.legacy.saving import legacy_h5_format

from lesions.core.errors import LesionsError
from lesions.networks import backbones, weights
from lesions.networks.backend import keras

SIZE = 32


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> dict[str, bytes]:
    """Files of weights by backbone: not ImageNet's, but of their form, shapes and layer names."""
    folder = tmp_path_factory.mktemp("made")
    found = {}
    for name in backbones.BACKBONES:
        path = folder / f"{name}.h5"
        network = backbones.backbone(name, SIZE, "none")[0].layers[-1]
        with h5py.File(path, "w") as file:  # ImageNet's are in the old form
            legacy_h5_format.save_weights_to_hdf5_group(file, network)
        found[name] = path.read_bytes()
    return found


@pytest.fixture
def server(made, monkeypatch):
    """Serves the made files under Keras's names, and lets their md5 pass for Keras's."""
    content = {backbones.BACKBONES[name].file: data for name, data in made.items()}
    for name, data in made.items():
        known = replace(backbones.BACKBONES[name], md5=hashlib.md5(data).hexdigest())
        monkeypatch.setitem(backbones.BACKBONES, name, known)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2]
            self.asked.append(name)
            data = content[name]
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_) -> None:
            pass

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
    Handler.address = f"http://127.0.0.1:{running.server_port}"
    Handler.asked, Handler.content = [], content
    yield Handler
    running.shutdown()


class Asked(Exception):
    """Carries what Keras was about to fetch."""


@pytest.mark.parametrize("name", list(backbones.BACKBONES))
def test_addresses_and_md5_sums_are_those_that_keras_asks_for(name, monkeypatch):
    def ask(fname, origin, file_hash, **_):
        raise Asked(fname, origin, file_hash)

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", ask)
    known = backbones.BACKBONES[name]
    with pytest.raises(Asked) as asked:
        known.make(weights="imagenet", include_top=False, input_shape=(32, 32, 3))
    assert asked.value.args == (known.file, known.url, known.md5)


def test_weights_are_fetched_once_and_used_offline(server, made, tmp_path, capsys):
    files = weights.fetch(tmp_path, server.address, delays=(0.0,))
    assert [file.read_bytes() for file in files] == list(made.values())
    images = np.random.default_rng(0).random((1, SIZE, SIZE, 3), dtype=np.float32)
    features = []
    for seed in (0, 1):  # whatever the network began with
        keras.utils.set_random_seed(seed)
        network, origin = backbones.backbone("densenet121", SIZE, str(tmp_path))
        assert origin == "imagenet"  # by name and md5 these are what Keras would fetch
        features.append(np.asarray(network(images)))
    np.testing.assert_array_equal(*features)
    asked = len(server.asked)
    weights.fetch(tmp_path, server.address, delays=(0.0,))
    assert len(server.asked) == asked and "there already" in capsys.readouterr().out


def test_wrong_bytes_are_not_kept(server, tmp_path):
    name = backbones.BACKBONES["vgg16"].file
    whole = server.content[name]
    server.content[name] = whole[:-1] + bytes([whole[-1] ^ 1])
    with pytest.raises(LesionsError, match=r"other bytes than those of vgg16.*twice"):
        weights.fetch(tmp_path, server.address, delays=(0.0,))
    assert not list(tmp_path.iterdir())
    server.content[name] = whole
    assert len(weights.fetch(tmp_path, server.address, delays=(0.0,))) == 3


def test_a_damaged_file_is_refused_and_fetched_again(server, tmp_path):
    first = weights.fetch(tmp_path, server.address, delays=(0.0,))[0]
    first.write_bytes(first.read_bytes()[:1000])  # cut off while it was copied, say
    with pytest.raises(LesionsError, match="not the file that Keras knows by this name"):
        backbones.backbone("vgg16", SIZE, str(tmp_path))
    weights.fetch(tmp_path, server.address, delays=(0.0,))
    assert backbones.backbone("vgg16", SIZE, str(tmp_path))[1] == "imagenet"


def test_weights_of_another_network_are_refused(server, made, tmp_path):
    path = tmp_path / "mine.h5"
    path.write_bytes(made["resnet50"])
    with pytest.raises(LesionsError, match="does not hold weights of vgg16"):
        backbones.backbone("vgg16", SIZE, str(path))
    path.write_bytes(made["vgg16"][:5000])
    with pytest.raises(LesionsError, match="does not hold weights of vgg16"):
        backbones.backbone("vgg16", SIZE, str(path))


def test_the_command_line_says_what_failed(server, tmp_path, capsys):
    assert weights.main(["--to", str(tmp_path), "--mirror", "no-address"]) == 1
    assert "no web address" in capsys.readouterr().err
    assert weights.main(["--to", str(tmp_path), "--mirror", server.address]) == 0
