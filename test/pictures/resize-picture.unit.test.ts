import assert from "node:assert/strict";
import { describe, it } from "node:test";
import sharp, { type Sharp } from "sharp";
import { PIXELS_MAX, resizePicture } from "../../tools/pictures/resize-picture.ts";

const plain = (width: number, height: number): Sharp =>
  sharp({ create: { width, height, channels: 3, background: "#c40" } });

describe("a picture of a feed", () => {
  it("becomes two WebP files, upright, without metadata", async () => {
    const bytes = await plain(2_000, 1_000)
      .withExif({ IFD0: { Copyright: "Somebody", Orientation: "6" } })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    assert.ok((await sharp(bytes).metadata()).exif, "the feed's has metadata");
    const { large, small, width, height } = await resizePicture(bytes);
    assert.deepEqual([width, height], [1_000, 2_000]);
    for (const [file, size] of [
      [large, [1_000, 2_000]],
      [small, [480, 960]],
    ] as const) {
      const read = await sharp(file).metadata();
      assert.deepEqual([read.format, read.width, read.height], ["webp", ...size]);
      assert.deepEqual([read.exif, read.orientation, read.xmp, read.icc], Array(4).fill(undefined));
    }
  });

  it("is never enlarged, and never higher than twice its width", async () => {
    const tiny = await resizePicture(await plain(300, 200).png().toBuffer());
    assert.deepEqual([tiny.width, tiny.height], [300, 200]);
    const tower = await resizePicture(await plain(200, 9_000).png().toBuffer());
    assert.equal(tower.height, 2_560);
  });

  it("may be a JPEG, PNG, WebP, AVIF, or the first frame of a GIF", async () => {
    const one = plain(64, 40);
    const frames = [
      plain(64, 40),
      sharp({ create: { width: 64, height: 40, channels: 3, background: "#00f" } }),
    ];
    const pngs = await Promise.all(frames.map((frame) => frame.png().toBuffer()));
    const gif = await sharp(pngs, { join: { animated: true } })
      .gif({ delay: [100, 100] })
      .toBuffer();
    assert.equal((await sharp(gif).metadata()).pages, 2);
    const files = [one.jpeg(), one.png(), one.webp(), one.avif({ effort: 0 })].map((file) =>
      file.toBuffer(),
    );
    for (const bytes of [...(await Promise.all(files)), gif]) {
      const { large } = await resizePicture(bytes);
      const read = await sharp(large).metadata();
      assert.deepEqual([read.width, read.height, read.pages ?? 1], [64, 40, 1]);
    }
  });

  it("S42: SVG, TIFF, text and nothing are refused: no decoder sees them", async () => {
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
    const tiff = await plain(9, 9).tiff().toBuffer();
    for (const bytes of [svg, tiff, Buffer.from("<!doctype html>"), Buffer.alloc(0)])
      await assert.rejects(
        resizePicture(bytes),
        /^Error: it is not a JPEG, PNG, WebP, AVIF or GIF$/,
      );
  });

  it("is refused if it is damaged", async () => {
    const whole = await plain(600, 600).png().toBuffer();
    const head = Buffer.from("89504e470d0a1a0a", "hex");
    for (const bytes of [
      whole.subarray(0, whole.length / 2),
      Buffer.concat([head, Buffer.alloc(99)]),
    ])
      await assert.rejects(resizePicture(bytes), /^Error: it cannot be decoded$/);
  });

  it("S42: a picture of more than 40 million pixels is refused before it is decoded", async () => {
    const bomb = await plain(6_400, PIXELS_MAX / 6_400 + 1)
      .png({ palette: true })
      .toBuffer();
    assert.ok(bomb.length < 500_000, "it is small as a file");
    await assert.rejects(resizePicture(bomb), /^Error: it has more than 40 million pixels$/);
  });
});
