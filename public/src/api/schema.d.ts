// Written by `npx boxoffice api-types` from the OpenAPI document.
export interface paths {
    "/api/auth/register": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** @description Creates an account. Passwords that are short or easy to guess are refused. */
        post: operations["register"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** @description `delivery: cookie` (the default) sets the refresh token as an HttpOnly, SameSite=Strict cookie scoped to /api/auth and keeps it out of the body; `delivery: body` returns it as `refreshToken` and sets no cookie (for native and server clients). An unknown e-mail and a wrong password get the same answer. */
        post: operations["login"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** @description Rotates the refresh token (from the cookie, or from the body). Within 10 s of its use the same successor is returned again; later use of a rotated token revokes its whole session. */
        post: operations["refresh"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** @description Revokes the session of the refresh token (from the cookie, or from the body). 204 also for an unknown token. */
        post: operations["logout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/logout-all": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** @description Revokes every session of the caller. */
        post: operations["logoutAll"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** @description Changes the password and revokes every other session. */
        post: operations["changePassword"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Lists the caller's sessions, the latest used first, and marks the current one. */
        get: operations["listSessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/sessions/{sessionId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** @description Revokes one of the caller's sessions. */
        delete: operations["endSession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description The account of the caller. */
        get: operations["getMe"];
        put?: never;
        post?: never;
        /** @description Deletes the caller's account, with name, e-mail and sessions, for good. Tickets stay valid, as those of an id without a name. The e-mail can be registered again, as a new account. */
        delete: operations["eraseMe"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/.well-known/jwks.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description The public keys that verify access tokens (RFC 7517). */
        get: operations["getKeys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/me/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description All that is stored about the caller, as a file: account, sessions, tickets, e-mails of the last 30 days (kind and state), and transactions that are not booked yet or were booked until release 0.2. Secrets and their hashes are left out. */
        get: operations["exportMe"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/password-reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** @description Sends a link for a new password, if an account has the address. The answer is the same, and takes the same time, if none has. The link works once, for 30 minutes. */
        post: operations["requestPasswordReset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/password-reset/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** @description Sets a new password by the token of a link, once, and revokes every session. A weak password leaves the link usable. */
        post: operations["resetPassword"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/email-confirmation": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** @description Sends a link to confirm the caller's e-mail address, unless it is confirmed. */
        post: operations["requestEmailConfirmation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/email-confirmation/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** @description Confirms an e-mail address by the token of a link, once. */
        post: operations["confirmEmail"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/preferences": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Which e-mails the caller gets, and in which language. */
        get: operations["getPreferences"];
        put?: never;
        /** @description Changes the given preferences. Links for a new password are always sent. */
        post: operations["changePreferences"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Upcoming events, sorted by date, then start, then id. Filters combine with AND. */
        get: operations["searchEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/events/filters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Values to filter by: cities and types of upcoming events, most events first. */
        get: operations["getFilters"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/events/{eventId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description One event, also a past one. */
        get: operations["getEvent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/events/{eventId}/availability": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Server-sent events: at once, then on every change (at most 4 a second), `event: availability`, data {eventId, status, available}; no status while it is unknown. A comment line every 15 s keeps it open. It ends when the gateway stops; clients reconnect by themselves. */
        get: operations["watchAvailability"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/events/{eventId}/tickets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** @description Buys `quantity` tickets, all or none. With an Idempotency-Key (scope: the user and the event) a retry of a purchase that sold returns the same transaction and tickets, 201 with the header `Idempotent-Replayed: true`, also if the event has sold out or started since; the same key with another quantity is a 422. A refusal binds nothing: the key stays free. A 201 is durable: the tickets are in PostgreSQL. Every answer carries the header Idempotency-Key: the client's, or a new one, which a 422 lacks. */
        post: operations["buyTickets"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/tickets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description The caller's tickets, sorted by the event's date. Works by keyset cursor. */
        get: operations["listTickets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/tickets/{ticketId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Another customer's ticket is a 404, like one that does not exist. */
        get: operations["getTicket"];
        put?: never;
        post?: never;
        /** @description Cancels the ticket and frees its place, exactly once; cancelling again returns the same answer. Refused once the event has started. After OUTCOME_UNKNOWN, repeat the request. */
        delete: operations["cancelTicket"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/tickets/{ticketId}/qr.svg": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description A QR code of the signed ticket, for admission. A cancelled ticket is a 404. */
        get: operations["getTicketQrCode"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/transactions/{transactionId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description The caller's transaction. `pending` until the ledger has applied it. */
        get: operations["getTransaction"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/operator/engine": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description The engine's state: nodes, workers, the ledger and its queue, and which layer answered searches. Counters grow from the start of each node. For operators. */
        get: operations["getEngine"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Liveness probe. 200 while the process runs. */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description Readiness probe. TRY_AGAIN names the missing kinds of dependency in `detail`, no host and no message. `troubles` names what refuses to write while the engine goes on. */
        get: operations["getReadiness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description This contract, generated from the rules that validate requests. */
        get: operations["getOpenApiDocument"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/docs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** @description This contract as a page. */
        get: operations["getReference"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        User: {
            /** Format: uuid */
            id: string;
            email: string;
            name: string;
            /** @enum {string} */
            role: "customer" | "operator";
        };
        Session: {
            /** @description Signed, for an hour; sent as `Authorization: Bearer …` */
            accessToken: string;
            /** @constant */
            tokenType: "Bearer";
            /** @description Seconds */
            expiresIn: number;
            /** @description With `delivery: body` only; else it is in an HttpOnly cookie */
            refreshToken?: string;
            user: components["schemas"]["User"];
        };
        Preferences: {
            /**
             * @description Language of e-mails
             * @enum {string}
             */
            language: "en" | "de";
            /** @description Kinds of e-mails that are not sent */
            mailsOff: ("receipt" | "cancellation" | "event-change")[];
            emailConfirmed: boolean;
        };
        SignedInSession: {
            /** Format: uuid */
            id: string;
            /** Format: date-time */
            createdAt: string;
            /** Format: date-time */
            lastUsedAt: string;
            userAgent?: string;
            address?: string;
            /** @description The session of this request */
            current: boolean;
        };
        Count: {
            value: string;
            count: number;
        };
        Event: {
            /** Format: uuid */
            id: string;
            name: string;
            type: string;
            /** @description City */
            location: string;
            country: string | null;
            url: string | null;
            /**
             * Format: date
             * @description Local to the city
             */
            date: string;
            startTime: string;
            endTime: string;
            /** @description Minutes */
            duration: number;
            /** @description IANA name */
            timeZone: string;
            /** Format: date-time */
            startsAt: string;
            /** @enum {string} */
            status: "scheduled" | "postponed" | "cancelled";
            totalCapacity: number;
            /** @description Left to sell, at most 2 s old at the reader */
            available: number;
            image?: components["schemas"]["EventImage"];
        };
        /** @description Absent if the event has no picture. Another gateway may lack the file (404) */
        EventImage: {
            /** @description Path on this gateway, a WebP of at most 1,280 pixels in width */
            url: string;
            /** @description The same picture, at most 480 pixels in width */
            thumbnailUrl: string;
            /** @description Of `url`, in pixels */
            width: number;
            /** @description Of `url`, in pixels */
            height: number;
        };
        Ticket: {
            /** Format: uuid */
            id: string;
            /** Format: uuid */
            eventId: string;
            eventName: string;
            /** @description City */
            location: string;
            /**
             * Format: date
             * @description Local to the city
             */
            eventDate: string;
            /** @enum {string} */
            eventStatus: "scheduled" | "postponed" | "cancelled";
            transactionId: string;
            /** @enum {string} */
            status: "active" | "cancelled";
            /** Format: date-time */
            purchasedAt: string;
            /** Format: date-time */
            cancelledAt: string | null;
            /** @description Content of the QR code. Only where an active ticket is read, alone or in a list */
            code?: string;
        };
        Purchase: {
            /** @description HMAC-SHA512, hex */
            transactionId: string;
            /** @enum {string} */
            status: "pending" | "completed" | "failed";
            /** Format: uuid */
            eventId: string;
            quantity: number;
            tickets: components["schemas"]["Ticket"][];
        };
        Transaction: {
            /** @description HMAC-SHA512, hex */
            transactionId: string;
            /** Format: uuid */
            eventId: string;
            /** @enum {string} */
            status: "pending" | "completed" | "failed";
            /** @description Change of capacity: negative for a purchase, positive for a cancellation */
            quantity: number;
        };
        Engine: {
            /** Format: date-time */
            at: string;
            /** @description By name */
            nodes: {
                node: string;
                /** @description Of api, auth, catalog, purchasing, ledger and notifier */
                services: string[];
                /** @description Services that did not answer within a second; their figures are missing */
                silent: string[];
            }[];
            /** @description Workers of all nodes */
            workerCount: number;
            /** @description The fullest mailboxes first, then most sales; 200 at most */
            workers: {
                node: string;
                /** Format: uuid */
                eventId: string;
                /** @description Null: it has none now */
                epoch: number | null;
                /** @description Batches committed under this epoch */
                batch: number | null;
                /** @description Left to sell */
                available: number | null;
                /** @description Waiting commands */
                mailbox: number;
                /** @description Commands in its largest batch */
                largestBatch: number;
                /** @description Purchases since the worker started; it stops after 30 s without commands */
                sales: number;
                /** @description Tickets of those purchases */
                tickets: number;
                /** @description It works without a lease */
                degraded: boolean;
            }[];
            /** @description Null: no ledger answered */
            ledger: {
                /** @description Transactions sold and not booked yet */
                pendingRows: number;
                /** @description How long the oldest has waited: the ledger's lag */
                oldestPendingMs: number;
                /** @description Transactions that the ledger could not book */
                failedRows: number;
                /** @description Booked since the nodes started */
                appliedRows: number;
            } | null;
            /** @description Null: RabbitMQ is down */
            queue: {
                /** @description Waiting messages */
                ready: number;
                /** @description Dead letters */
                dead: number;
                /** @description Consuming ledgers */
                consumers: number;
            } | null;
            /** @description Counters of all nodes since their start */
            layers: {
                /** @description Searches answered from the cache, from the catalog, from stale responses */
                gateway: {
                    hits?: number;
                    misses?: number;
                    stale?: number;
                    notModified?: number;
                };
                /** @description Answered from Redis, in part, from PostgreSQL, from stale copies */
                catalog: {
                    hits?: number;
                    partial?: number;
                    misses?: number;
                    stale?: number;
                    unasked?: number;
                };
            };
            /** @description Streams of live availability, of all gateways */
            streams: {
                open?: number;
                sent?: number;
                skipped?: number;
                dropped?: number;
            };
        };
        Problem: {
            /** @description urn:boxoffice:problem:<code in kebab case> */
            type: string;
            title: string;
            status: number;
            /** @enum {string} */
            code: "CSRF_REFUSED" | "EMAIL_TAKEN" | "EVENT_CANCELLED" | "EVENT_NOT_FOUND" | "EVENT_OVER" | "EVENT_POSTPONED" | "EVENT_SOLD_OUT" | "EXPECTATION_FAILED" | "FORBIDDEN" | "IDEMPOTENCY_KEY_REUSED" | "INTERNAL" | "INVALID_CREDENTIALS" | "LINK_INVALID" | "MALFORMED" | "METHOD_NOT_ALLOWED" | "NOT_FOUND" | "OUTCOME_UNKNOWN" | "PASSWORD_TOO_WEAK" | "PURCHASE_LIMIT_REACHED" | "REFRESH_TOKEN_INVALID" | "SESSION_NOT_FOUND" | "TICKET_NOT_FOUND" | "TOKEN_EXPIRED" | "TOO_LARGE" | "TOO_MANY_REQUESTS" | "TRANSACTION_NOT_FOUND" | "TRY_AGAIN" | "UNAUTHENTICATED" | "UNSUPPORTED_MEDIA_TYPE" | "VALIDATION_ERROR";
            /** @description Also in the header X-Request-ID */
            requestId?: string;
            detail?: string;
            /** @description With VALIDATION_ERROR: which field broke which rule */
            errors?: {
                field: string;
                rule: string;
            }[];
            /** @description With EVENT_SOLD_OUT: tickets left */
            available?: number;
            /** @description With PURCHASE_LIMIT_REACHED: the maximum; with TOO_MANY_REQUESTS: the limit's name */
            limit?: number | string;
            /** @description With PURCHASE_LIMIT_REACHED: active tickets of the customer */
            active?: number;
            /** @description With TOO_MANY_REQUESTS: seconds, as in Retry-After */
            retryAfterS?: number;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    register: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * Format: email
                     * @description Blanks around it are dropped, as at sign-in
                     */
                    email: string;
                    password: string;
                    name: string;
                    /**
                     * @description Language of e-mails; English by default
                     * @enum {string}
                     */
                    language?: "en" | "de";
                };
            };
        };
        responses: {
            /** @description The new user */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            /** @description EMAIL_TAKEN: An account with this e-mail already exists */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "EMAIL_TAKEN";
                    };
                };
            };
            /** @description TOO_LARGE: The request is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "TOO_LARGE";
                    };
                };
            };
            /** @description UNSUPPORTED_MEDIA_TYPE: Bodies must be application/json in UTF-8 */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "UNSUPPORTED_MEDIA_TYPE";
                    };
                };
            };
            /** @description PASSWORD_TOO_WEAK: The password is too easy to guess. VALIDATION_ERROR: The request does not match the contract */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "PASSWORD_TOO_WEAK" | "VALIDATION_ERROR";
                    };
                };
            };
            /** @description TOO_MANY_REQUESTS: Too many requests: wait before the next one */
            429: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "TOO_MANY_REQUESTS";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
    login: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    email: string;
                    password: string;
                    /**
                     * @default cookie
                     * @enum {string}
                     */
                    delivery?: "cookie" | "body";
                };
            };
        };
        responses: {
            /** @description Signed in */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description INVALID_CREDENTIALS: The e-mail or the password is wrong */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "INVALID_CREDENTIALS";
                    };
                };
            };
            /** @description CSRF_REFUSED: Only pages of this site may send this request. FORBIDDEN: The caller is not allowed to do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "CSRF_REFUSED" | "FORBIDDEN";
                    };
                };
            };
            /** @description TOO_LARGE: The request is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "TOO_LARGE";
                    };
                };
            };
            /** @description UNSUPPORTED_MEDIA_TYPE: Bodies must be application/json in UTF-8 */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "UNSUPPORTED_MEDIA_TYPE";
                    };
                };
            };
            /** @description VALIDATION_ERROR: The request does not match the contract */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "VALIDATION_ERROR";
                    };
                };
            };
            /** @description TOO_MANY_REQUESTS: Too many requests: wait before the next one */
            429: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "TOO_MANY_REQUESTS";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
    refresh: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    refreshToken?: string;
                };
            };
        };
        responses: {
            /** @description New tokens over the channel of the old one */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description REFRESH_TOKEN_INVALID: The refresh token is not valid: sign in again */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "REFRESH_TOKEN_INVALID";
                    };
                };
            };
            /** @description CSRF_REFUSED: Only pages of this site may send this request. FORBIDDEN: The caller is not allowed to do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "CSRF_REFUSED" | "FORBIDDEN";
                    };
                };
            };
            /** @description TOO_LARGE: The request is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "TOO_LARGE";
                    };
                };
            };
            /** @description UNSUPPORTED_MEDIA_TYPE: Bodies must be application/json in UTF-8 */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "UNSUPPORTED_MEDIA_TYPE";
                    };
                };
            };
            /** @description VALIDATION_ERROR: The request does not match the contract */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "VALIDATION_ERROR";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
    logout: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    refreshToken?: string;
                };
            };
        };
        responses: {
            /** @description Revoked */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description CSRF_REFUSED: Only pages of this site may send this request. FORBIDDEN: The caller is not allowed to do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "CSRF_REFUSED" | "FORBIDDEN";
                    };
                };
            };
            /** @description TOO_LARGE: The request is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "TOO_LARGE";
                    };
                };
            };
            /** @description UNSUPPORTED_MEDIA_TYPE: Bodies must be application/json in UTF-8 */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "UNSUPPORTED_MEDIA_TYPE";
                    };
                };
            };
            /** @description VALIDATION_ERROR: The request does not match the contract */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "VALIDATION_ERROR";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
    logoutAll: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Revoked */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description UNAUTHENTICATED: A valid access token is required. TOKEN_EXPIRED: The access token has expired */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "UNAUTHENTICATED" | "TOKEN_EXPIRED";
                    };
                };
            };
            /** @description VALIDATION_ERROR: The request does not match the contract */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "VALIDATION_ERROR";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
    changePassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    currentPassword: string;
                    newPassword: string;
                };
            };
        };
        responses: {
            /** @description Changed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description UNAUTHENTICATED: A valid access token is required. TOKEN_EXPIRED: The access token has expired. INVALID_CREDENTIALS: The e-mail or the password is wrong */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "UNAUTHENTICATED" | "TOKEN_EXPIRED" | "INVALID_CREDENTIALS";
                    };
                };
            };
            /** @description TOO_LARGE: The request is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "TOO_LARGE";
                    };
                };
            };
            /** @description UNSUPPORTED_MEDIA_TYPE: Bodies must be application/json in UTF-8 */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "UNSUPPORTED_MEDIA_TYPE";
                    };
                };
            };
            /** @description PASSWORD_TOO_WEAK: The password is too easy to guess. VALIDATION_ERROR: The request does not match the contract */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "PASSWORD_TOO_WEAK" | "VALIDATION_ERROR";
                    };
                };
            };
            /** @description TOO_MANY_REQUESTS: Too many requests: wait before the next one */
            429: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "TOO_MANY_REQUESTS";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
    listSessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Sessions */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["SignedInSession"][];
                    };
                };
            };
            /** @description UNAUTHENTICATED: A valid access token is required. TOKEN_EXPIRED: The access token has expired */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "UNAUTHENTICATED" | "TOKEN_EXPIRED";
                    };
                };
            };
            /** @description VALIDATION_ERROR: The request does not match the contract */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "VALIDATION_ERROR";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
    endSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sessionId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Revoked */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description UNAUTHENTICATED: A valid access token is required. TOKEN_EXPIRED: The access token has expired */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "UNAUTHENTICATED" | "TOKEN_EXPIRED";
                    };
                };
            };
            /** @description SESSION_NOT_FOUND: The session does not exist */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "SESSION_NOT_FOUND";
                    };
                };
            };
            /** @description VALIDATION_ERROR: The request does not match the contract */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "VALIDATION_ERROR";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
    getMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The caller */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            /** @description UNAUTHENTICATED: A valid access token is required. TOKEN_EXPIRED: The access token has expired */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "UNAUTHENTICATED" | "TOKEN_EXPIRED";
                    };
                };
            };
            /** @description VALIDATION_ERROR: The request does not match the contract */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "VALIDATION_ERROR";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
    eraseMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    password: string;
                };
            };
        };
        responses: {
            /** @description Deleted */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description UNAUTHENTICATED: A valid access token is required. TOKEN_EXPIRED: The access token has expired. INVALID_CREDENTIALS: The e-mail or the password is wrong */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "UNAUTHENTICATED" | "TOKEN_EXPIRED" | "INVALID_CREDENTIALS";
                    };
                };
            };
            /** @description TOO_LARGE: The request is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "TOO_LARGE";
                    };
                };
            };
            /** @description UNSUPPORTED_MEDIA_TYPE: Bodies must be application/json in UTF-8 */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "UNSUPPORTED_MEDIA_TYPE";
                    };
                };
            };
            /** @description VALIDATION_ERROR: The request does not match the contract */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "VALIDATION_ERROR";
                    };
                };
            };
            /** @description TOO_MANY_REQUESTS: Too many requests: wait before the next one */
            429: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "TOO_MANY_REQUESTS";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
    getKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A JWK set */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        keys: Record<string, never>[];
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
    exportMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The caller's data */
            200: {
                headers: {
                    /** @description The name of the file */
                    "Content-Disposition"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: date-time */
                        exportedAt: string;
                        account: {
                            /** Format: uuid */
                            id: string;
                            email: string;
                            name: string;
                            /** @enum {string} */
                            role: "customer" | "operator";
                            /** Format: date-time */
                            createdAt: string;
                            language: string;
                            mailsOff: string[];
                            /** Format: date-time */
                            emailConfirmedAt: string | null;
                        };
                        sessions: {
                            /** Format: uuid */
                            id: string;
                            /** Format: date-time */
                            createdAt: string;
                            /** Format: date-time */
                            lastUsedAt: string;
                            /** Format: date-time */
                            expiresAt: string;
                            /** Format: date-time */
                            endedAt: string | null;
                            userAgent: string | null;
                            address: string | null;
                        }[];
                        notifications: {
                            kind: string;
                            eventId: string | null;
                            /** @enum {string} */
                            state: "waiting" | "sent" | "skipped" | "dead";
                            /** Format: date-time */
                            createdAt: string;
                            /** Format: date-time */
                            doneAt: string | null;
                        }[];
                        tickets: components["schemas"]["Ticket"][];
                        transactions: {
                            transactionId: string;
                            /** Format: uuid */
                            eventId: string;
                            /** @enum {string} */
                            status: "pending" | "completed" | "failed";
                            quantity: number;
                            /** Format: date-time */
                            at: string;
                        }[];
                    };
                };
            };
            /** @description UNAUTHENTICATED: A valid access token is required. TOKEN_EXPIRED: The access token has expired */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "UNAUTHENTICATED" | "TOKEN_EXPIRED";
                    };
                };
            };
            /** @description VALIDATION_ERROR: The request does not match the contract */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "VALIDATION_ERROR";
                    };
                };
            };
            /** @description TOO_MANY_REQUESTS: Too many requests: wait before the next one */
            429: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "TOO_MANY_REQUESTS";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
    requestPasswordReset: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    email: string;
                };
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description TOO_LARGE: The request is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "TOO_LARGE";
                    };
                };
            };
            /** @description UNSUPPORTED_MEDIA_TYPE: Bodies must be application/json in UTF-8 */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "UNSUPPORTED_MEDIA_TYPE";
                    };
                };
            };
            /** @description VALIDATION_ERROR: The request does not match the contract */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "VALIDATION_ERROR";
                    };
                };
            };
            /** @description TOO_MANY_REQUESTS: Too many requests: wait before the next one */
            429: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "TOO_MANY_REQUESTS";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
    resetPassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    token: string;
                    password: string;
                };
            };
        };
        responses: {
            /** @description Changed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description LINK_INVALID: The link was used or has expired: ask for a new one */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "LINK_INVALID";
                    };
                };
            };
            /** @description TOO_LARGE: The request is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "TOO_LARGE";
                    };
                };
            };
            /** @description UNSUPPORTED_MEDIA_TYPE: Bodies must be application/json in UTF-8 */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "UNSUPPORTED_MEDIA_TYPE";
                    };
                };
            };
            /** @description PASSWORD_TOO_WEAK: The password is too easy to guess. VALIDATION_ERROR: The request does not match the contract */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "PASSWORD_TOO_WEAK" | "VALIDATION_ERROR";
                    };
                };
            };
            /** @description TOO_MANY_REQUESTS: Too many requests: wait before the next one */
            429: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "TOO_MANY_REQUESTS";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
    requestEmailConfirmation: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description UNAUTHENTICATED: A valid access token is required. TOKEN_EXPIRED: The access token has expired */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "UNAUTHENTICATED" | "TOKEN_EXPIRED";
                    };
                };
            };
            /** @description VALIDATION_ERROR: The request does not match the contract */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "VALIDATION_ERROR";
                    };
                };
            };
            /** @description TOO_MANY_REQUESTS: Too many requests: wait before the next one */
            429: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "TOO_MANY_REQUESTS";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
    confirmEmail: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    token: string;
                };
            };
        };
        responses: {
            /** @description Confirmed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description LINK_INVALID: The link was used or has expired: ask for a new one */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "LINK_INVALID";
                    };
                };
            };
            /** @description TOO_LARGE: The request is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "TOO_LARGE";
                    };
                };
            };
            /** @description UNSUPPORTED_MEDIA_TYPE: Bodies must be application/json in UTF-8 */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "UNSUPPORTED_MEDIA_TYPE";
                    };
                };
            };
            /** @description VALIDATION_ERROR: The request does not match the contract */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "VALIDATION_ERROR";
                    };
                };
            };
            /** @description TOO_MANY_REQUESTS: Too many requests: wait before the next one */
            429: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "TOO_MANY_REQUESTS";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
    getPreferences: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Preferences */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Preferences"];
                };
            };
            /** @description UNAUTHENTICATED: A valid access token is required. TOKEN_EXPIRED: The access token has expired */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "UNAUTHENTICATED" | "TOKEN_EXPIRED";
                    };
                };
            };
            /** @description VALIDATION_ERROR: The request does not match the contract */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "VALIDATION_ERROR";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
    changePreferences: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @enum {string} */
                    language?: "en" | "de";
                    mailsOff?: ("receipt" | "cancellation" | "event-change")[];
                };
            };
        };
        responses: {
            /** @description All preferences */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Preferences"];
                };
            };
            /** @description UNAUTHENTICATED: A valid access token is required. TOKEN_EXPIRED: The access token has expired */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "UNAUTHENTICATED" | "TOKEN_EXPIRED";
                    };
                };
            };
            /** @description TOO_LARGE: The request is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "TOO_LARGE";
                    };
                };
            };
            /** @description UNSUPPORTED_MEDIA_TYPE: Bodies must be application/json in UTF-8 */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "UNSUPPORTED_MEDIA_TYPE";
                    };
                };
            };
            /** @description VALIDATION_ERROR: The request does not match the contract */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "VALIDATION_ERROR";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
    searchEvents: {
        parameters: {
            query?: {
                /** @description Name or city: each word must be in one of them. One letter of a word of five or more may be wrong. A city is found by any of its common names */
                q?: string;
                /** @description City, any of its common names, whole, case- and accent-insensitive */
                location?: string;
                /** @description Partial match anywhere in the name, case- and accent-insensitive; %, _ and \ are ordinary characters */
                name?: string;
                type?: string;
                /** @description That day; a past one lists past events */
                date?: string;
                /** @description That day and later; today also lists what goes on, a past day past events */
                from?: string;
                /** @description That day and earlier */
                to?: string;
                limit?: number;
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["Event"][];
                        /** @description The `cursor` of the next page; null at the end */
                        nextCursor: string | null;
                    };
                };
            };
            /** @description Not modified since the ETag in If-None-Match */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description VALIDATION_ERROR: The request does not match the contract */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "VALIDATION_ERROR";
                    };
                };
            };
            /** @description TOO_MANY_REQUESTS: Too many requests: wait before the next one */
            429: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "TOO_MANY_REQUESTS";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
    getFilters: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Filters */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        locations: components["schemas"]["Count"][];
                        types: components["schemas"]["Count"][];
                    };
                };
            };
            /** @description Not modified since the ETag in If-None-Match */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description VALIDATION_ERROR: The request does not match the contract */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "VALIDATION_ERROR";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
    getEvent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                eventId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The event */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Event"];
                };
            };
            /** @description Not modified since the ETag in If-None-Match */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description EVENT_NOT_FOUND: The event does not exist */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "EVENT_NOT_FOUND";
                    };
                };
            };
            /** @description VALIDATION_ERROR: The request does not match the contract */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "VALIDATION_ERROR";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
    watchAvailability: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                eventId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A stream */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": unknown;
                };
            };
            /** @description EVENT_NOT_FOUND: The event does not exist */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "EVENT_NOT_FOUND";
                    };
                };
            };
            /** @description VALIDATION_ERROR: The request does not match the contract */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "VALIDATION_ERROR";
                    };
                };
            };
            /** @description TOO_MANY_REQUESTS: Too many requests: wait before the next one */
            429: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "TOO_MANY_REQUESTS";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
    buyTickets: {
        parameters: {
            query?: never;
            header?: {
                /** @description Printable ASCII characters. Without one the engine makes a key */
                "Idempotency-Key"?: string;
            };
            path: {
                eventId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @default 1 */
                    quantity?: number;
                };
            };
        };
        responses: {
            /** @description Bought */
            201: {
                headers: {
                    /** @description The key for a retry of this purchase */
                    "Idempotency-Key"?: string;
                    /** @description `true` if an earlier request sold the tickets */
                    "Idempotent-Replayed"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Purchase"];
                };
            };
            /** @description UNAUTHENTICATED: A valid access token is required. TOKEN_EXPIRED: The access token has expired */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "UNAUTHENTICATED" | "TOKEN_EXPIRED";
                    };
                };
            };
            /** @description EVENT_NOT_FOUND: The event does not exist */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "EVENT_NOT_FOUND";
                    };
                };
            };
            /** @description EVENT_SOLD_OUT: Not enough tickets left. EVENT_CANCELLED: The event is cancelled. EVENT_POSTPONED: The event is postponed. EVENT_OVER: The event has started. PURCHASE_LIMIT_REACHED: The limit of tickets per customer is reached */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "EVENT_SOLD_OUT" | "EVENT_CANCELLED" | "EVENT_POSTPONED" | "EVENT_OVER" | "PURCHASE_LIMIT_REACHED";
                    };
                };
            };
            /** @description TOO_LARGE: The request is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "TOO_LARGE";
                    };
                };
            };
            /** @description UNSUPPORTED_MEDIA_TYPE: Bodies must be application/json in UTF-8 */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "UNSUPPORTED_MEDIA_TYPE";
                    };
                };
            };
            /** @description IDEMPOTENCY_KEY_REUSED: The idempotency key was used for another quantity. VALIDATION_ERROR: The request does not match the contract */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "IDEMPOTENCY_KEY_REUSED" | "VALIDATION_ERROR";
                    };
                };
            };
            /** @description TOO_MANY_REQUESTS: Too many requests: wait before the next one */
            429: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "TOO_MANY_REQUESTS";
                    };
                };
            };
            /** @description OUTCOME_UNKNOWN: The outcome is unknown: repeat the request with the same key. TRY_AGAIN: Nothing was done: try again shortly */
            503: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "OUTCOME_UNKNOWN" | "TRY_AGAIN";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
    listTickets: {
        parameters: {
            query?: {
                status?: "active" | "cancelled";
                limit?: number;
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page */
            200: {
                headers: {
                    /** @description Only while the database is down: the time of the data, in RFC 3339 */
                    "X-Data-As-Of"?: string;
                    /** @description `110 - "Response is Stale"` if the answer has X-Data-As-Of */
                    Warning?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["Ticket"][];
                        /** @description The `cursor` of the next page; null at the end */
                        nextCursor: string | null;
                    };
                };
            };
            /** @description UNAUTHENTICATED: A valid access token is required. TOKEN_EXPIRED: The access token has expired */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "UNAUTHENTICATED" | "TOKEN_EXPIRED";
                    };
                };
            };
            /** @description VALIDATION_ERROR: The request does not match the contract */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "VALIDATION_ERROR";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
    getTicket: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                ticketId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The ticket */
            200: {
                headers: {
                    /** @description Only while the database is down: the time of the data, in RFC 3339 */
                    "X-Data-As-Of"?: string;
                    /** @description `110 - "Response is Stale"` if the answer has X-Data-As-Of */
                    Warning?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ticket"];
                };
            };
            /** @description UNAUTHENTICATED: A valid access token is required. TOKEN_EXPIRED: The access token has expired */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "UNAUTHENTICATED" | "TOKEN_EXPIRED";
                    };
                };
            };
            /** @description TICKET_NOT_FOUND: The ticket does not exist */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "TICKET_NOT_FOUND";
                    };
                };
            };
            /** @description VALIDATION_ERROR: The request does not match the contract */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "VALIDATION_ERROR";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
    cancelTicket: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                ticketId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The cancelled ticket */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ticket"];
                };
            };
            /** @description UNAUTHENTICATED: A valid access token is required. TOKEN_EXPIRED: The access token has expired */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "UNAUTHENTICATED" | "TOKEN_EXPIRED";
                    };
                };
            };
            /** @description TICKET_NOT_FOUND: The ticket does not exist */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "TICKET_NOT_FOUND";
                    };
                };
            };
            /** @description EVENT_OVER: The event has started */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "EVENT_OVER";
                    };
                };
            };
            /** @description VALIDATION_ERROR: The request does not match the contract */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "VALIDATION_ERROR";
                    };
                };
            };
            /** @description OUTCOME_UNKNOWN: The outcome is unknown: repeat the request with the same key. TRY_AGAIN: Nothing was done: try again shortly */
            503: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "OUTCOME_UNKNOWN" | "TRY_AGAIN";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
    getTicketQrCode: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                ticketId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description An image, black on white */
            200: {
                headers: {
                    /** @description Only while the database is down: the time of the data, in RFC 3339 */
                    "X-Data-As-Of"?: string;
                    /** @description `110 - "Response is Stale"` if the answer has X-Data-As-Of */
                    Warning?: string;
                    [name: string]: unknown;
                };
                content: {
                    "image/svg+xml": unknown;
                };
            };
            /** @description UNAUTHENTICATED: A valid access token is required. TOKEN_EXPIRED: The access token has expired */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "UNAUTHENTICATED" | "TOKEN_EXPIRED";
                    };
                };
            };
            /** @description TICKET_NOT_FOUND: The ticket does not exist */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "TICKET_NOT_FOUND";
                    };
                };
            };
            /** @description VALIDATION_ERROR: The request does not match the contract */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "VALIDATION_ERROR";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
    getTransaction: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                transactionId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The transaction */
            200: {
                headers: {
                    /** @description Only while the database is down: the time of the data, in RFC 3339 */
                    "X-Data-As-Of"?: string;
                    /** @description `110 - "Response is Stale"` if the answer has X-Data-As-Of */
                    Warning?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Transaction"];
                };
            };
            /** @description UNAUTHENTICATED: A valid access token is required. TOKEN_EXPIRED: The access token has expired */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "UNAUTHENTICATED" | "TOKEN_EXPIRED";
                    };
                };
            };
            /** @description TRANSACTION_NOT_FOUND: The transaction does not exist */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "TRANSACTION_NOT_FOUND";
                    };
                };
            };
            /** @description VALIDATION_ERROR: The request does not match the contract */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "VALIDATION_ERROR";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
    getEngine: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The engine's state */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Engine"];
                };
            };
            /** @description UNAUTHENTICATED: A valid access token is required. TOKEN_EXPIRED: The access token has expired */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "UNAUTHENTICATED" | "TOKEN_EXPIRED";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN";
                    };
                };
            };
            /** @description VALIDATION_ERROR: The request does not match the contract */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "VALIDATION_ERROR";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
    getHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The process runs */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        status: "alive";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
    getReadiness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It can serve */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        status: "ready";
                        troubles?: string[];
                    };
                };
            };
            /** @description TRY_AGAIN: Nothing was done: try again shortly */
            503: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "TRY_AGAIN";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
    getOpenApiDocument: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description An OpenAPI 3.1 document */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description VALIDATION_ERROR: The request does not match the contract */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "VALIDATION_ERROR";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
    getReference: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": unknown;
                };
            };
            /** @description VALIDATION_ERROR: The request does not match the contract */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "VALIDATION_ERROR";
                    };
                };
            };
            /** @description FORBIDDEN: The caller is not allowed to do this. INTERNAL: Internal error. MALFORMED: The request cannot be parsed. TOO_MANY_REQUESTS: Too many requests: wait before the next one. TRY_AGAIN: Nothing was done: try again shortly */
            default: {
                headers: {
                    /** @description Seconds. Absent with OUTCOME_UNKNOWN */
                    "Retry-After"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {unknown} */
                        code: "FORBIDDEN" | "INTERNAL" | "MALFORMED" | "TOO_MANY_REQUESTS" | "TRY_AGAIN";
                    };
                };
            };
        };
    };
}
