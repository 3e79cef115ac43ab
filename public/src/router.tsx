import { type ReactNode, Suspense, lazy } from "react";
import { Route, Router, Switch, useLocation } from "wouter";
import { RegisterPage } from "./account/register-page.tsx";
import { SignInPage } from "./account/sign-in-page.tsx";
import { SignedIn } from "./account/signed-in.tsx";
import { BrowsePage } from "./search/browse-page.tsx";
import { EventPage } from "./event/event-page.tsx";
import { OperatorsOnly } from "./engine/operators-only.tsx";
import { FaultBoundary } from "./components/fault-boundary.tsx";
import { Layout } from "./components/layout.tsx";
import { Loading } from "./components/loading.tsx";
import { NotFoundPage } from "./components/not-found-page.tsx";
import { KeepTickets } from "./offline/keep-tickets.tsx";
import { keptHolder } from "./offline/kept-tickets.ts";
import { PATHS } from "./paths.ts";
import { sessionState } from "./session/session.ts";
import { useStore } from "./session/store.ts";
import { TicketPage } from "./tickets/ticket-page.tsx";
import { TicketsPage } from "./tickets/tickets-page.tsx";
import { navigateWithTransition } from "./view-transition.ts";

const laterPages = () => import("./later-pages.ts");
const AccountPage = lazy(async () => ({ default: (await laterPages()).AccountPage }));
const ConfirmPage = lazy(async () => ({ default: (await laterPages()).ConfirmPage }));
const ForgotPage = lazy(async () => ({ default: (await laterPages()).ForgotPage }));
const ResetPage = lazy(async () => ({ default: (await laterPages()).ResetPage }));
const EnginePage = lazy(async () => ({ default: (await laterPages()).EnginePage }));
const OrderPage = lazy(async () => ({ default: (await laterPages()).OrderPage }));
const PrintPage = lazy(async () => ({ default: (await laterPages()).PrintPage }));

/** Maps addresses to pages. */
export function Pages(): ReactNode {
  const [path] = useLocation();
  const session = useStore(sessionState);
  const holder = useStore(keptHolder);
  return (
    <Router aroundNav={navigateWithTransition}>
      <Layout>
        {session.state === "signed-in" && <KeepTickets holder={session.user} />}
        <FaultBoundary path={path}>
          <Suspense fallback={<Loading />}>
            <Switch>
              <Route path={PATHS.browse}>
                <BrowsePage />
              </Route>
              <Route path={PATHS.event}>
                {({ eventId }) => <EventPage key={eventId} eventId={eventId} />}
              </Route>
              <Route path={PATHS.tickets}>
                <SignedIn kept={holder}>{() => <TicketsPage />}</SignedIn>
              </Route>
              <Route path={PATHS.ticket}>
                {({ ticketId }) => (
                  <SignedIn kept={holder}>
                    {({ name }) => <TicketPage ticketId={ticketId} holder={name} />}
                  </SignedIn>
                )}
              </Route>
              <Route path={PATHS.order}>
                {({ orderId }) => (
                  <SignedIn kept={holder}>{() => <OrderPage orderId={orderId} />}</SignedIn>
                )}
              </Route>
              <Route path={PATHS.printedOrder}>
                {({ orderId }) => (
                  <SignedIn kept={holder}>
                    {({ name }) => <PrintPage orderId={orderId} holder={name} />}
                  </SignedIn>
                )}
              </Route>
              <Route path={PATHS.signIn}>
                <SignInPage />
              </Route>
              <Route path={PATHS.register}>
                <RegisterPage />
              </Route>
              <Route path={PATHS.forgot}>
                <ForgotPage />
              </Route>
              <Route path={PATHS.reset}>
                <ResetPage />
              </Route>
              <Route path={PATHS.confirm}>
                <ConfirmPage />
              </Route>
              <Route path={PATHS.account}>
                <SignedIn>{(user) => <AccountPage user={user} />}</SignedIn>
              </Route>
              <Route path={PATHS.engine}>
                <SignedIn>
                  {({ name, role }) =>
                    role === "operator" ? <EnginePage /> : <OperatorsOnly name={name} />
                  }
                </SignedIn>
              </Route>
              <Route>
                <NotFoundPage />
              </Route>
            </Switch>
          </Suspense>
        </FaultBoundary>
      </Layout>
    </Router>
  );
}
