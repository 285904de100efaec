// The hash and the randomness that core is given.
import { hash, randomBytes } from "node:crypto";
import { ID_BYTES, idFrom } from "#core/ids.ts";

/** Lower-case hex SHA-256 of a text's UTF-8 bytes, or of bytes. */
export const sha256 = (data: string | Uint8Array): string => hash("sha256", data, "hex");

/** A fresh id: 80 random bits. */
export const newId = (): string => idFrom(randomBytes(ID_BYTES));

/** A fresh salt for a body: 128 random bits, so that an erased body cannot be guessed. */
export const newSalt = (): string => randomBytes(16).toString("hex");
