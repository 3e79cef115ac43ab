// Tests the sealed ticket code and its QR picture.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, it } from "node:test";
import { encode } from "uqr";
import { qrCodeSvg } from "../../services/api/http/qr-code.ts";
import { ticketCode, ticketOfCode } from "../../services/purchasing/tickets/ticket-code.ts";

const SECRET = "a secret of thirty-two characters";

describe("a ticket code", () => {
  it("names its ticket with the right secret, and is rejected after any change", () => {
    const [ticketId, other] = [randomUUID(), randomUUID()];
    const code = ticketCode(SECRET, ticketId);
    assert.equal(ticketOfCode(SECRET, code), ticketId);
    const seal = code.slice(code.indexOf("."));
    const swapped = seal.replace(
      /^\.(.)/,
      (_all, first: string) => `.${first === "A" ? "B" : "A"}`,
    );
    for (const forged of [
      code.replace(ticketId, other),
      code.replace(seal, swapped),
      code.slice(0, -1),
      `${code}A`,
      code.replace(seal, `.${"A".repeat(22)}`),
      `boxoffice:${ticketId}`,
      ticketId,
      "",
    ])
      assert.equal(ticketOfCode(SECRET, forged), undefined, forged);
    assert.equal(ticketOfCode(`${SECRET}!`, code), undefined, "another engine's");
  });
});

describe("the picture of a QR code", () => {
  it("has the library's dark cells and a quiet zone", () => {
    for (const text of ["1", ticketCode(SECRET, randomUUID()), "x".repeat(300)]) {
      const { data } = encode(text, { ecc: "M", border: 4 });
      assert.deepEqual(cellsOf(qrCodeSvg(text)), data);
      assert.notDeepEqual(cellsOf(qrCodeSvg(`${text}!`)), data);
    }
  });
});

/** Draws the SVG's moves, lines and closed paths into cells: white first, then dark. */
function cellsOf(svg: string): boolean[][] {
  const [, width = "", height = ""] =
    /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? [];
  const cells = Array.from({ length: Number(height) }, () =>
    Array.from({ length: Number(width) }, () => true),
  );
  for (const [, color = "", path = ""] of svg.matchAll(/<path fill="#(000|fff)" d="([^"]*)"\/>/g))
    for (const [, x = "", y = "", w = "", h = ""] of path.matchAll(
      /M(\d+) (\d+)h(\d+)v(\d+)h-\3z/g,
    ))
      for (let row = Number(y); row < Number(y) + Number(h); row += 1)
        cells[row]?.fill(color === "000", Number(x), Number(x) + Number(w));
  return cells;
}
