import { DataTypes } from "sequelize";
import type { Role } from "../../lib/auth/jwt.ts";

export { emailKeyOf } from "../../domain/email-key.ts";

/** A row of `user_account`. */
export type Account = {
  id: string;
  email: string;
  emailKey: string;
  name: string;
  role: Role;
  passwordHash: string;
  /** Language of e-mails. */
  language: string;
};

/** Public part of an account. */
export type User = { id: string; email: string; name: string; role: Role };

export const ACCOUNT_TABLE = {
  name: "user_account",
  attributes: {
    id: { type: DataTypes.UUID, primaryKey: true },
    email: { type: DataTypes.TEXT, allowNull: false },
    emailKey: { type: DataTypes.TEXT, allowNull: false, unique: true },
    name: { type: DataTypes.TEXT, allowNull: false },
    role: { type: DataTypes.TEXT, allowNull: false },
    passwordHash: { type: DataTypes.TEXT, allowNull: false },
    language: { type: DataTypes.TEXT, allowNull: false },
  },
};

export function userOf({ id, email, name, role }: Account): User {
  return { id, email, name, role };
}
