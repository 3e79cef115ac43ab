// The first script, and a small one.
void import("./app.tsx");
