import { useTranslation } from "react-i18next";

/** Translates the type of an event. Types without a translation are shown as they are. */
export function useTypeName(): (type: string) => string {
  const { t, i18n } = useTranslation();
  return (type) => {
    const key = `type.${type.toLowerCase()}`;
    return i18n.exists(key)
      ? t(key as "type.concert")
      : type.charAt(0).toUpperCase() + type.slice(1);
  };
}
