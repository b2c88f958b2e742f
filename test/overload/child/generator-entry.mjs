// The generator, in a process of its own: it must not wait for anybody else's work.
const { runOpenLoop } = await import('./open-loop.ts');
const phases = await runOpenLoop(JSON.parse(process.argv[2] ?? '{}'));
process.send?.(phases, () => process.disconnect());
