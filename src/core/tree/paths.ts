// Workspace-relative paths, as trees name them: `/` between names, `.` for the root.

/** Whether `path` is the folder itself or below it. */
export const isWithin = (folder: string, path: string): boolean =>
  folder === "." || path === folder || path.startsWith(`${folder}/`);
