// The verb `send`: a command becomes events, and whoever should act on them is woken.
import type { Command } from "#app";
import { newId } from "#boundary/digest.ts";
import { beginSession } from "#boundary/door/begin.ts";
import { setBudget } from "#boundary/door/budget.ts";
import { erase } from "#boundary/door/erase.ts";
import { importSession } from "#boundary/door/import.ts";
import type { DoorParts } from "#boundary/door/parts.ts";
import { unreachable } from "#core/assert.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import type { BlobRef } from "#core/model/message.ts";
import type { SessionCommand } from "#core/session/commands.ts";
import { asksOf } from "#core/session/state.ts";

type Sent = Result<{ stream: string; version: number }>;

/** Largest attachment, in bytes. */
const ATTACHMENT_BYTES_MAX = 20_971_520;

export async function send(
  parts: DoorParts,
  command: Command,
  wake: (session: string) => void,
): Promise<Sent> {
  switch (command.type) {
    case "StartSession":
      return await beginSession(parts, command);
    case "SubmitPrompt":
    case "Steer":
      return await speak(parts, command, wake);
    case "Cancel":
    case "Unqueue":
    case "AnswerPermission":
    case "Rename":
    case "SwitchModel":
    case "SwitchMode":
    case "SwitchEffort":
    case "Compact": {
      const { session, ...inner } = command;
      const lasting = command.type === "AnswerPermission" ? await lastingOf(parts, command) : null;
      const sent = await ask(parts, session, inner as SessionCommand);
      if (sent.ok && lasting) await lasting();
      const below = sent.ok ? await reachChildren(parts, command) : ok();
      if (!below.ok) return below;
      if (sent.ok) wake(session);
      return sent;
    }
    case "RevertCompaction":
      return await (await import("#boundary/door/compactions.ts")).revertCompaction(parts, command);
    case "Undo":
    case "Redo":
    case "Restore":
    case "Fork":
    case "CreateCheckpoint":
    case "TagCheckpoint":
    case "RemoveCheckpoint":
    case "RestoreCheckpoint":
    case "TidyTrees": {
      const { sendAboutFiles } = await import("#boundary/door/send-files.ts");
      return await sendAboutFiles(parts, command);
    }
    case "Resume":
      return await resume(parts, command.session, wake);
    case "SetBudget":
      return await setBudget(parts, command);
    case "Erase":
      return await erase(parts, command);
    case "ImportSession":
      return await importSession(parts, command);
    case "Trust":
    case "Distrust":
    case "ConfirmVerify":
      return await sendAboutTrust(parts, command);
    case "SetKeys":
    case "RemoveKeys":
    case "RotateKeys":
      return await sendAboutKeys(parts, command);
    case "BuildIndex":
      return await (await import("#boundary/door/index-of.ts")).buildIndex(parts, command);
    case "RebuildViews":
      return await rebuild(parts);
    default:
      return unreachable(command);
  }
}

/** What is said of a session that holds for its children, too. */
async function reachChildren(parts: DoorParts, command: Command): Promise<Result<void>> {
  if (command.type !== "SwitchMode") return ok();
  const { narrowChildren } = await import("#boundary/child-modes.ts");
  return await narrowChildren(parts, command.session, command.mode);
}

/** Null where nothing was being brought back. */
async function settleRestore(parts: DoorParts, session: string): Promise<Sent | null> {
  const state = await parts.sessions.fold(session);
  if (!state.ok) return state;
  if (!state.value.restoring) return null;
  const { finishRestore } = await import("#boundary/door/restore.ts");
  return await finishRestore(parts, session);
}

async function resume(
  parts: DoorParts,
  session: string,
  wake: (session: string) => void,
): Promise<Sent> {
  const state = await parts.sessions.fold(session);
  if (!state.ok) return state;
  wake(session);
  return ok({ stream: session, version: state.value.version });
}

async function rebuild(parts: DoorParts): Promise<Sent> {
  const done = await parts.views.rebuild(
    (fed) => parts.channel.publish("job:views", progress(fed)),
    new AbortController().signal,
  );
  return done.ok ? ok({ stream: "job:views", version: done.value }) : done;
}

/** What the user says of a folder. */
async function sendAboutTrust(
  { locations, verify }: DoorParts,
  command: Extract<Command, { type: "Trust" | "Distrust" | "ConfirmVerify" }>,
): Promise<Sent> {
  const { type, path } = command;
  const done =
    type === "ConfirmVerify"
      ? await verify.confirm(path, command.key)
      : await (type === "Trust" ? locations.trust : locations.distrust)(path);
  return done.ok ? ok({ stream: done.value.stream, version: done.value.version }) : done;
}

async function sendAboutKeys(
  parts: DoorParts,
  command: Extract<Command, { type: "SetKeys" | "RemoveKeys" | "RotateKeys" }>,
): Promise<Sent> {
  if (command.type === "SetKeys") return await setKeys(parts, command);
  if (command.type === "RotateKeys") return kept(await parts.keys.rotate());
  const gone = await parts.keys.remove(command.provider);
  return gone.ok ? ok({ stream: "keys:", version: 0 }) : gone;
}

async function setKeys(
  parts: DoorParts,
  { provider, keys }: Extract<Command, { type: "SetKeys" }>,
): Promise<Sent> {
  const names = await parts.providerNames();
  if (!names.ok) return names;
  if (names.value.includes(provider)) return kept(await parts.keys.set(provider, keys));
  return fail("bad_input", `there is no provider "${provider}"`, {
    fix: `it is one of ${names.value.join(", ")}, or add it to \`providers\` first`,
  });
}

/** What happened to the kept keys is in no log; the stream's name says where the data key lies. */
const kept = (done: Result<"keychain" | "file">): Sent =>
  done.ok ? ok({ stream: `keys:${done.value}`, version: 0 }) : done;

const progress = (fed: number) =>
  ({ type: "output", callId: "views", seq: fed, text: `${fed} records` }) as const;

async function ask(parts: DoorParts, session: string, command: SessionCommand): Promise<Sent> {
  const done = await parts.sessions.command(session, command);
  return done.ok ? ok({ stream: session, version: done.value.version }) : done;
}

async function speak(
  parts: DoorParts,
  command: Extract<Command, { type: "SubmitPrompt" | "Steer" }>,
  wake: (session: string) => void,
): Promise<Sent> {
  const settled = await settleRestore(parts, command.session);
  if (settled && !settled.ok) return settled;
  const attachments = await keep(parts, command.attachments ?? []);
  if (!attachments.ok) return attachments;
  const said = { text: command.text, attachments: attachments.value };
  const sent = await ask(
    parts,
    command.session,
    command.type === "Steer"
      ? { type: "Steer", ...said }
      : {
          type: "SubmitPrompt",
          turn: newId(),
          ...said,
          ...(command.evidence ? { evidence: command.evidence } : {}),
        },
  );
  if (sent.ok) wake(command.session);
  return sent;
}

async function keep(
  parts: DoorParts,
  files: readonly { name: string; media: string; base64: string }[],
): Promise<Result<BlobRef[]>> {
  const kept: BlobRef[] = [];
  for (const { name, media, base64 } of files) {
    const bytes = Buffer.from(base64, "base64");
    if (bytes.length > ATTACHMENT_BYTES_MAX) {
      return fail("too_large", `${name} has ${bytes.length} bytes`, {
        fix: `attach at most ${ATTACHMENT_BYTES_MAX} bytes, or let the model read the file`,
      });
    }
    const masked = await withoutSecrets(bytes, { name, media });
    const hash = await parts.blobs.put(masked);
    if (!hash.ok) return hash;
    kept.push({ hash: hash.value, bytes: masked.length, media, name });
  }
  return ok(kept);
}

/** The text of an attachment with its secrets masked; anything else as it is. */
async function withoutSecrets(
  bytes: Buffer,
  { name, media }: { name: string; media: string },
): Promise<Buffer> {
  if (!/^text\/|json|xml|yaml|toml/.test(media)) return bytes;
  const [{ masker }, { isSecretFile, valuesIn }] = await Promise.all([
    import("#core/security/mask.ts"),
    import("#core/security/secret-files.ts"),
  ]);
  const text = bytes.toString();
  const known = isSecretFile(name) ? valuesIn(text) : [];
  return Buffer.from(masker({ known })(text));
}

/** What remembers an answer for longer than its session: read before the question is answered. */
async function lastingOf(
  parts: DoorParts,
  { session, callId, answer, scope }: Extract<Command, { type: "AnswerPermission" }>,
): Promise<(() => Promise<void>) | null> {
  if (answer !== "allow" || (scope !== "workspace" && scope !== "always")) return null;
  const state = await parts.sessions.fold(session);
  const path = state.ok ? state.value.start?.location.path : undefined;
  const ask = state.ok ? asksOf(state.value).find((one) => one.callId === callId) : undefined;
  if (!path || !ask) return null;
  return async () => {
    for (const key of ask.keys) {
      const grant = { key, title: ask.title };
      if (scope === "always") await parts.locations.grantEverywhere(grant);
      else await parts.locations.grant(path, grant);
    }
  };
}
