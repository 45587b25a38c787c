/** Results for people. */
import { WORKLOADS, type WorkloadId } from '../case.js';
import { type Result, type Summary, summarize } from './result.js';

const HEAD = [
  'what',
  'by',
  'per second',
  'ms',
  '× yardstick',
  'parts',
  'wire MB',
  'peak / kept heap MB',
  'CPU ms',
  'ok',
];

/** A Markdown table of each workload. */
export function formatResult({ rows, machine, revision }: Result): string {
  const lines = summarize(rows);
  const workloads = [...new Set(rows.map(({ asked }) => asked.workload))];
  const { cpus, model, memoryGb, node } = machine;
  const title = `Revision ${revision}; ${cpus} × ${model}, ${memoryGb} GB, Node ${node}. Medians; ratios are of the same repetition.`;
  return [title, ...workloads.map((workload) => formatWorkload(workload, lines))].join('\n\n');
}

function formatWorkload(workload: WorkloadId, lines: readonly Summary[]): string {
  const own = lines.filter(({ key }) => key.split(' ')[0] === workload);
  return [`### ${workload} ${WORKLOADS[workload]}`, '', markdownTable(HEAD, own.map(formatLine))].join('\n');
}

function formatLine(line: Summary): readonly string[] {
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(2);
  return [
    line.key,
    line.revision ? `${line.contestant} @ ${line.revision}` : line.contestant,
    Math.round(line.opsPerSecond).toLocaleString('en'),
    line.ms.toFixed(line.ms < 10 ? 2 : 0),
    line.timesYardstick?.toFixed(2) ?? '1',
    Object.entries(line.parts)
      .map(([name, value]) => `${name} ${value.toFixed(value < 10 ? 2 : 0)}`)
      .join(', '),
    megabytes(line.wireBytes),
    `${megabytes(line.peakHeapBytes)} / ${megabytes(line.keptHeapBytes)}`,
    `${line.clientCpuMs.toFixed(0)} + ${line.serverCpuMs.toFixed(0)}`,
    line.isVerified ? '✓' : '✗',
  ];
}

export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
