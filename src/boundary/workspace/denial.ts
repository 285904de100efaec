// Recognises in a command's exit and last words that the sandbox refused it something, so that the
// model can be told how to ask for leave.

/**
 * What programs print when the kernel says no in the ways the sandbox makes it say no: EROFS,
 * ENETUNREACH, names that do not resolve without a network, and EPERM of a mount or a namespace.
 */
const SIGNS = [
  /read-only file system/i,
  /\bEROFS\b/,
  /network is unreachable/i,
  /\bENETUNREACH\b/,
  /\bEAI_AGAIN\b/,
  /\bENOTFOUND\b/,
  /could not resolve (host|proxy)/i,
  /couldn't resolve host/i,
  /temporary failure in name resolution/i,
  /name or service not known/i,
  /unable to resolve host/i,
  /could(n't| not) connect to (server|the docker daemon)/i,
  /failed to connect to/i,
  /cannot assign requested address/i,
  /operation not permitted/i,
  /device or resource busy/i,
  /dial (tcp|udp|unix)\b/i,
  /no such host/i,
];

/** Bytes of output that are kept to be looked at. */
export const LAST_BYTES = 4_096;

/** A guess, and only ever a hint: true where a command failed and said something like a refusal. */
export function looksDenied(code: number | null, lastOutput: Uint8Array): boolean {
  if (code === 0) return false;
  const text = new TextDecoder().decode(lastOutput);
  return SIGNS.some((sign) => sign.test(text));
}
