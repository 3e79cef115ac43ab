import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const CAN_MOUNT = process.platform === "linux" && process.getuid?.() === 0;

export type SmallDisk = {
  /** Leaves no free block. */
  fill(): void;
  free(): void;
  unmount(): void;
};

/** Mounts a disk of 64 kB at a folder. */
export function mountSmallDisk(folder: string): SmallDisk {
  mkdirSync(folder, { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]);
  return {
    fill() {
      const { bavail, bsize } = statfsSync(folder);
      if (bavail > 0) writeFileSync(join(folder, `filler-${bavail}`), Buffer.alloc(bavail * bsize));
    },
    free() {
      for (const name of readdirSync(folder))
        if (name.startsWith("filler-")) rmSync(join(folder, name));
    },
    unmount: () => void execFileSync("umount", ["--lazy", folder]),
  };
}
