const SCRIPT = "/sw.js";

/**
 * Registers the service worker once the page has loaded, so that its files do not compete with the
 * page's. Vite's development server has none.
 */
export function registerServiceWorker(): void {
  if (!("serviceWorker" in navigator) || !import.meta.env.PROD) return;
  const register = (): void => {
    // A browser that refuses (a private window) shows the pages all the same.
    navigator.serviceWorker.register(scriptUrl()).catch(() => undefined);
  };
  if (document.readyState === "complete") register();
  else addEventListener("load", register, { once: true });
}

/** Passes the policy of trusted types, which allows this one address. */
function scriptUrl(): string {
  const types = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes;
  if (types === undefined) return SCRIPT;
  const policy = types.createPolicy("service-worker", { createScriptURL: () => SCRIPT });
  // The DOM types of register() do not know trusted types.
  return policy.createScriptURL("") as string;
}

type TrustedTypes = {
  createPolicy(
    name: string,
    rules: { createScriptURL: (text: string) => string },
  ): { createScriptURL(text: string): unknown };
};
