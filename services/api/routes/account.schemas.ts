/** A new password. Its strength is judged by auth. */
export const PASSWORD = { type: "string", minLength: 12, maxLength: 128 } as const;

/** The language of e-mails. */
export const LANGUAGE = { type: "string", enum: ["en", "de"] } as const;
