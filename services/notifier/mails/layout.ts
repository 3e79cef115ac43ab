import { escapeUTF8 } from "entities";
import type { Language } from "./languages.ts";

/** What a mail says, independent of its form. All of it is plain text. */
export type MailContent = {
  subject: string;
  heading: string;
  paragraphs: readonly string[];
  facts: readonly (readonly [label: string, value: string])[];
  /** Small print beneath the facts. */
  notes: readonly string[];
  button: { label: string; address: string };
  /** Said above the button's address in full, for clients that show no button. */
  linkFails: string;
  footer: readonly { text: string; address?: string }[];
};

/**
 * Colors of the web app (public/src/styles/tokens.css). Clients that drop the style sheet show
 * plain text in their own colors, which is readable too.
 */
const STYLE = `
  :root { color-scheme: light dark; supported-color-schemes: light dark; }
  body { margin: 0; padding: 0; background: #faf6ee; color: #1c1a17;
    font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
  .page { max-width: 36rem; margin: 0 auto; padding: 24px 16px 40px; }
  .brand { margin: 0 0 16px; font: 700 20px/1.3 Georgia, serif; color: #b3261e; }
  .card { background: #fffdf9; border: 1px solid #e0d7c6; border-radius: 12px; padding: 24px; }
  h1 { margin: 0 0 12px; font: 700 26px/1.25 Georgia, serif; }
  p { margin: 0 0 12px; }
  table { width: 100%; border-collapse: collapse; margin: 16px 0; }
  th, td { padding: 8px 0; border-top: 1px solid #e0d7c6; vertical-align: top; text-align: left;
    overflow-wrap: anywhere; }
  th { width: 7.5rem; padding-right: 12px; font-weight: 400; color: #5d564b; }
  td { font-weight: 600; }
  .button { display: inline-block; margin: 8px 0 4px; padding: 12px 20px; border-radius: 8px;
    background: #b3261e; color: #fffdf9; font-weight: 600; text-decoration: none; }
  .small { font-size: 14px; color: #5d564b; overflow-wrap: anywhere; }
  .small a { color: #8f1a14; }
  footer { padding: 16px 8px 0; }
  footer p { margin: 0 0 6px; }
  @media (max-width: 480px) {
    .card { padding: 20px 16px; }
    h1 { font-size: 22px; }
    th { width: 6rem; }
  }
  @media (prefers-color-scheme: dark) {
    body { background: #171512; color: #f0eadf; }
    .brand { color: #ff8f80; }
    .card { background: #211e1a; border-color: #3b352c; }
    th, td { border-color: #3b352c; }
    th, .small { color: #b5ac9d; }
    .button { background: #ff8f80; color: #2b0704; }
    .small a { color: #ffb0a5; }
  }
`;

/** Renders a mail's HTML: one column, no images, no scripts, nothing remote. */
export function htmlOf(content: MailContent, language: Language): string {
  const { subject, heading, paragraphs, facts, notes, button, linkFails, footer } = content;
  const e = escapeUTF8;
  const small = (text: string): string => `<p class="small">${e(text)}</p>`;
  const link = (address: string): string => `<a href="${e(address)}">${e(address)}</a>`;
  const rows = facts.map(
    ([label, value]) => `<tr><th scope="row">${e(label)}</th><td>${e(value)}</td></tr>`,
  );
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${e(subject)}</title>
<style>${STYLE}</style>
</head>
<body>
<div class="page">
<header><p class="brand">Boxoffice</p></header>
<main class="card">
<h1>${e(heading)}</h1>
${paragraphs.map((text) => `<p>${e(text)}</p>`).join("\n")}
${rows.length === 0 ? "" : `<table>\n${rows.join("\n")}\n</table>`}
<p><a class="button" href="${e(button.address)}">${e(button.label)}</a></p>
${small(linkFails)}
<p class="small">${link(button.address)}</p>
${notes.map(small).join("\n")}
</main>
<footer>
${footer
  .map(
    ({ text, address }) =>
      `<p class="small">${e(text)}${address === undefined ? "" : ` ${link(address)}`}</p>`,
  )
  .join("\n")}
</footer>
</div>
</body>
</html>
`;
}

/** Renders the same as plain text. */
export function textOf(content: MailContent): string {
  const { heading, paragraphs, facts, notes, button, footer } = content;
  const width = Math.max(0, ...facts.map(([label]) => label.length));
  const blocks = [
    heading,
    ...paragraphs,
    facts.map(([label, value]) => `${`${label}:`.padEnd(width + 2)}${value}`).join("\n"),
    `${button.label}:\n${button.address}`,
    ...notes,
    `-- \n${footer
      .map(({ text, address }) => (address === undefined ? text : `${text} ${address}`))
      .join("\n")}`,
  ];
  return `${blocks.filter((block) => block !== "").join("\n\n")}\n`;
}
