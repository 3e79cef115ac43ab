import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

const element = document.getElementById("app");
if (element !== null)
  createRoot(element).render(
    <StrictMode>
      <main>
        <h1>Boxoffice</h1>
        <p>
          The engine runs. Events are at <a href="/api/events">/api/events</a>.
        </p>
      </main>
    </StrictMode>,
  );
