// The first script, and a small one: asks for the reader's texts and the page's data while the app itself is still on its way.
import { PATIENCE_MS, earlyPath } from "./prefetch.ts";
import { chosenLanguage, loadTexts } from "./locales/languages.ts";

const language = chosenLanguage();
const texts = loadTexts(language);
const path = earlyPath(location);
const early =
  path === undefined
    ? undefined
    : { path, answer: fetch(path, { signal: AbortSignal.timeout(PATIENCE_MS) }) };
// Whoever awaits it hears of a failure; nobody may be there yet.
early?.answer.catch(() => undefined);
void import("./app.tsx").then(({ start }) => start(language, texts, early));
