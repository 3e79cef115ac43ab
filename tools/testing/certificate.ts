import { execFileSync } from "node:child_process";
import { join } from "node:path";

export type CertificateFiles = { certFile: string; keyFile: string };

const REQUEST = [
  "req",
  "-x509",
  "-newkey",
  "ec",
  "-pkeyopt",
  "ec_paramgen_curve:prime256v1",
  "-nodes",
  "-days",
  "2",
];

/**
 * Makes a key and a certificate of this machine by openssl, signed by `issuer`, else by itself.
 * Replaces earlier ones.
 */
export function makeCertificate(
  folder: string,
  name: string,
  issuer?: CertificateFiles,
  hosts = "DNS:localhost,IP:127.0.0.1",
): CertificateFiles {
  const signed = issuer && [
    ["-CA", issuer.certFile, "-CAkey", issuer.keyFile],
    ["-addext", "basicConstraints=critical,CA:FALSE"],
  ];
  return request(folder, name, ["-addext", `subjectAltName=${hosts}`, ...(signed?.flat() ?? [])]);
}

/** Makes a key and a certificate of an authority by openssl. */
export function makeAuthority(folder: string, name: string): CertificateFiles {
  return request(folder, name, ["-addext", "keyUsage=critical,keyCertSign"]);
}

function request(folder: string, name: string, more: readonly string[]): CertificateFiles {
  const [certFile, keyFile] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  const files = ["-subj", `/CN=${name}`, "-keyout", keyFile, "-out", certFile];
  execFileSync("openssl", [...REQUEST, ...files, ...more], { stdio: "ignore" });
  return { certFile, keyFile };
}
