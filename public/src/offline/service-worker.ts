/// <reference lib="webworker" />
import {
  addRoute,
  cleanupOutdatedCaches,
  matchPrecache,
  precache,
  type PrecacheEntry,
} from "workbox-precaching";
import { NavigationRoute, registerRoute } from "workbox-routing";

declare const self: ServiceWorkerGlobalScope;
/** The build's files and the page, by `tools/web-build/service-worker.ts`. */
declare const __PRECACHE__: PrecacheEntry[];

/** Kept for every address: a page whose document says nothing before its script runs. */
const KEPT_PAGE = "/tickets";
/** The gateway answers a page at once; a network that takes longer is as good as none. */
const NETWORK_TIMEOUT_MS = 4_000;

// The files of a release are named by their content: a page of the last release keeps what it has
// loaded, and the next navigation is answered by the network.
precache(__PRECACHE__);
cleanupOutdatedCaches();
void self.skipWaiting();
self.addEventListener("activate", (event) => event.waitUntil(activate()));

async function activate(): Promise<void> {
  // Without it each page would wait for the worker to start before it is asked for.
  await self.registration.navigationPreload.enable();
  await self.clients.claim();
}

// Answers of the API are never cached here: the app keeps a person's tickets, and removes them.
registerRoute(
  new NavigationRoute(({ request, event }) => page(request, event as FetchEvent), {
    denylist: [/^\/(?:api|assets|fonts|images|\.well-known)(?:\/|$)/],
  }),
);
// After the route of pages, which would else answer the kept page's own address.
addRoute({ directoryIndex: "" });

/** Asks the network first, so that a new release is shown at once. Then shows the kept page. */
async function page(request: Request, event: FetchEvent): Promise<Response> {
  const asked = (async () => {
    const preload = event.preloadResponse as Promise<Response | undefined>;
    return (await preload.catch(() => undefined)) ?? fetch(request);
  })();
  const timeout = new Promise<undefined>((resolve) => setTimeout(resolve, NETWORK_TIMEOUT_MS));
  const answer = await Promise.race([asked.catch(() => undefined), timeout]);
  // A proxy answers 5xx while the gateway is away.
  if (answer !== undefined && answer.status < 500) return answer;
  const kept = await matchPrecache(KEPT_PAGE);
  if (kept === undefined) return asked;
  const headers = new Headers(kept.headers);
  // What that page asks for first, and how its bytes came.
  for (const name of ["Link", "Content-Encoding", "Content-Length"]) headers.delete(name);
  return new Response(kept.body, { headers });
}
