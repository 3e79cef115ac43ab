import { qrPath } from "../../../lib/qr/qr-path.ts";

/** Draws a QR code as a self-contained SVG. Black on white in every theme, as readers expect. */
export function qrCodeSvg(text: string): string {
  const { size, path } = qrPath(text);
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" ` +
    'shape-rendering="crispEdges">' +
    `<path fill="#fff" d="M0 0h${size}v${size}h-${size}z"/>` +
    `<path fill="#000" d="${path}"/></svg>`
  );
}
