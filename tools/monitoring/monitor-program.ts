import { startChildProgram } from "../dev-servers/child-program.ts";

export type MonitorProgram = { url: string; stop(): Promise<void> };

/** Starts Prometheus or Alertmanager, and waits until it says that it is ready. */
export async function startMonitorProgram(
  program: string,
  args: readonly string[],
  port: number,
): Promise<MonitorProgram> {
  const url = `http://127.0.0.1:${port}`;
  const child = await startChildProgram([program, ...args], async () => {
    const answer = await fetch(`${url}/-/ready`).catch(() => undefined);
    await answer?.body?.cancel();
    return answer?.ok === true;
  });
  return { url, stop: () => child.stop() };
}
