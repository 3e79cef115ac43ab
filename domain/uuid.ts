/** A UUID of any version in lower case, as PostgreSQL writes it and the engine compares it. */
export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
