import { ROLES } from "../../lib/auth/jwt.ts";
import { MAIL_CHOICES, MAIL_LANGUAGES } from "./preferences.ts";

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

const LANGUAGE = { type: "enum", values: [...MAIL_LANGUAGES], optional: true };
const TOKEN = { type: "string", max: 64 };

export const REGISTER_PARAMS = {
  $$strict: true,
  email: { type: "string", min: 3, max: 254 },
  password: { type: "string" },
  name: { type: "string", min: 1, max: 200 },
  language: LANGUAGE,
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

export const REQUEST_RESET_PARAMS = { $$strict: true, email: { type: "string", max: 254 } };

export const RESET_PARAMS = { $$strict: true, token: TOKEN, password: { type: "string" } };

export const CONFIRM_PARAMS = { $$strict: true, token: TOKEN };

export const PREFERENCES_PARAMS = {
  $$strict: true,
  language: LANGUAGE,
  mailsOff: {
    type: "array",
    items: { type: "enum", values: [...MAIL_CHOICES] },
    unique: true,
    optional: true,
  },
};

export const GRANT_PARAMS = {
  $$strict: true,
  email: { type: "string", max: 254 },
  role: { type: "enum", values: [...ROLES] },
};
