"""Colours: contrast with light and dark ground, and apart for readers who do not see red, green or blue."""

import itertools

import numpy as np
import pytest

from lib.analysis.files import REPOSITORY
from lib.charts.theme import INK, PALETTE, SHAPES, WRONG

# Simulation of dichromats in linear RGB: Machado, Oliveira and Fernandes 2009, severity 1.
DICHROMATS = {
    "deuteranopia": (
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ),
    "protanopia": (
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ),
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour):
    value = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    ratio = (XYZ @ np.clip(rgb, 0, 1)) / (XYZ @ np.ones(3))
    x, y, z = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def contrast(first, second):
    light, dark = sorted((float(XYZ[1] @ linear(c)) for c in (first, second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def in_dark_mode(colour):
    """What the page's filter makes of it: invert(0.9) hue-rotate(180deg), by the matrices of the CSS standard."""
    turned = np.array([[-0.574, 1.430, 0.144], [0.426, 0.430, 0.144], [0.426, 1.430, -0.856]])
    value = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return "#" + "".join(f"{round(255 * one):02x}" for one in np.clip(turned @ (0.9 - 0.8 * value), 0, 1))


WHITE, DARK = "#ffffff", "#14181e"
MODES = {"light": (lambda colour: colour, WHITE), "dark": (in_dark_mode, DARK)}


def test_the_filter_is_that_of_the_page():
    assert "filter: invert(0.9) hue-rotate(180deg)" in (REPOSITORY / "book/_static/book.css").read_text("utf-8")


@pytest.mark.parametrize("mode", MODES)
def test_lines_and_texts_stand_out(mode):
    shown, ground = MODES[mode]
    assert all(contrast(shown(colour), ground) >= 3 for colour in PALETTE)
    assert all(contrast(shown(colour), ground) >= 4.5 for colour in (INK, WRONG))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", [*DICHROMATS, "all colours"])
def test_any_two_colours_stay_apart_for_everyone(kind, mode):
    matrix = np.array(DICHROMATS.get(kind, np.eye(3)))
    seen = [lab(matrix @ linear(MODES[mode][0](colour))) for colour in PALETTE]
    distances = {
        (PALETTE[a], PALETTE[b]): float(np.linalg.norm(seen[a] - seen[b]))
        for a, b in itertools.combinations(range(len(PALETTE)), 2)
    }
    assert min(distances.values()) > {"light": 20, "dark": 15}[mode], distances


def test_colour_is_never_the_only_sign():
    assert len(set(SHAPES)) == len(SHAPES) >= len(PALETTE)
