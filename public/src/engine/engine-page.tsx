import type { ReactNode } from "react";
export default function EnginePage(): ReactNode {
  return null;
}
