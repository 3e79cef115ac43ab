// Pages that load when one of them is opened. One file: a second one would move what both share
// with the app into chunks that the first visit waits for.
export { AccountPage } from "./account/account-page.tsx";
export { ConfirmPage } from "./account/mail-links/confirm-page.tsx";
export { ForgotPage } from "./account/mail-links/forgot-page.tsx";
export { ResetPage } from "./account/mail-links/reset-page.tsx";
export { EnginePage } from "./engine/engine-page.tsx";
export { OrderPage } from "./order/order-page.tsx";
export { PrintPage } from "./order/print-page.tsx";
