// Entry script, kept small: fetches texts and the page's data while the app itself loads.
import { chosenLanguage, loadTexts } from "./locales/languages.ts";
import { REQUEST_TIMEOUT_MS, prefetchPath } from "./prefetch.ts";

const language = chosenLanguage();
const texts = loadTexts(language);
const path = prefetchPath(location);
const prefetch = path === undefined ? undefined : { path, response: get(path) };
// Avoids an unhandled rejection before the app awaits the response.
prefetch?.response.catch(() => undefined);
void import("./app.tsx").then(({ start }) => start(language, texts, prefetch));

function get(address: string): Promise<Response> {
  return fetch(address, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
}
