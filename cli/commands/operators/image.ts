import type { Command } from "commander";
import { buildImage } from "../../../tools/image/build-image.ts";
import { examples, exiting } from "../../options.ts";

export function define(command: Command): void {
  command
    .description(
      "Builds the engine's image with podman. Makes its base with debootstrap, as root, so that no " +
        "registry of images is needed. Installs podman and debootstrap on Debian.",
    )
    .argument("[name]", "the image's name", "boxoffice:dev")
    .option("--base <image>", "an image with Node and npm, such as node:24-slim")
    .addHelpText(
      "after",
      examples(
        ["image", "boxoffice:dev, on a base of Debian's packages"],
        ["image --base docker.io/library/node:24-slim", "on a base from a registry"],
      ),
    )
    .action(
      exiting(async (name: string, { base }: { base?: string }) => {
        await buildImage({ name, ...(base === undefined ? {} : { base }) }, console.log);
        return 0;
      }),
    );
}
