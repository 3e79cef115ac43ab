import { ROLES } from "../../lib/auth/jwt.ts";

const DEVICE = {
  type: "object",
  strict: true,
  optional: true,
  default: {},
  props: {
    userAgent: { type: "string", max: 256, optional: true },
    address: { type: "string", max: 64, optional: true },
  },
} as const;

export const REGISTER_PARAMS = {
  $$strict: true,
  email: { type: "string", min: 3, max: 254 },
  password: { type: "string" },
  name: { type: "string", min: 1, max: 200 },
};

export const LOGIN_PARAMS = {
  $$strict: true,
  email: { type: "string" },
  password: { type: "string" },
  device: DEVICE,
};

export const REFRESH_PARAMS = { $$strict: true, token: { type: "string" }, device: DEVICE };

export const PASSWORD_PARAMS = {
  $$strict: true,
  currentPassword: { type: "string" },
  newPassword: { type: "string" },
};

export const GRANT_PARAMS = {
  $$strict: true,
  email: { type: "string", max: 254 },
  role: { type: "enum", values: [...ROLES] },
};
