/** Takes the records from before sync into the feed, slice by slice, from where an earlier process stopped. */
import type { RecordRef } from '@objectql/sync-types';
import { AS_SYSTEM, type DataEngine, type EngineRow, isPlaceholderId } from '@objectql/sync-types/kernel';
import type { Platform } from '../platform/platform.js';
import { ENROLMENTS } from './engine-objects.js';
import { digits, rowId } from './engine-rows.js';
import type { EngineStore } from './engine-store.js';

/** 200 records: a slice is a transaction, and other writers wait some tens of milliseconds for it. */
const SLICE_RECORDS = 200;

/**
 * First the object's records, by id: those that the feed lacks or has differently. Then the feed's entries: those whose
 * record is gone. From then on every write is followed.
 */
type Step = 'records' | 'feed' | 'done';

interface Progress {
  readonly objectName: string;
  readonly step: Step;
  /** The id, or the place, up to which this step is done. */
  readonly after: string;
}

export interface EnrolmentParts {
  readonly engine: DataEngine;
  readonly store: EngineStore;
  readonly platform: Platform;
}

export class Enrolment {
  readonly #parts: EnrolmentParts;
  readonly #shapeByObject = new Map<string, string>();
  #isStopped = false;

  constructor(parts: EnrolmentParts) {
    this.#parts = parts;
  }

  /**
   * Enrols these objects, unless they are enrolled already. Resolves early when it is stopped; throws at the end what
   * kept some of them from being enrolled.
   */
  async run(objectNames: readonly string[]): Promise<void> {
    const failures: unknown[] = [];
    for (const objectName of objectNames) await this.#enrol(objectName).catch((error) => failures.push(error));
    if (failures.length > 0) throw new AggregateError(failures, 'Not all objects could be compared with the feed.');
  }

  async #enrol(objectName: string): Promise<void> {
    let progress = await this.#read(objectName);
    while (progress.step !== 'done' && !this.#isStopped) {
      progress = await this.#slice(progress);
      // Requests that wait for the database go first.
      await new Promise<void>((resolve) => void this.#parts.platform.setTimer(resolve, 0));
    }
  }

  /** Lets all other objects be compared anew when they are synced again: until then nobody follows their writes. */
  async forgetOthers(objectNames: readonly string[]): Promise<void> {
    const { engine } = this.#parts;
    for (const { id, object_name } of await engine.find(ENROLMENTS, {}, { context: AS_SYSTEM })) {
      if (!objectNames.includes(object_name as string))
        await engine.delete(ENROLMENTS, { where: { id }, context: AS_SYSTEM });
    }
  }

  /** Compares everything once more, after writes that the engine did not see. */
  async again(objectNames: readonly string[]): Promise<void> {
    for (const objectName of objectNames) await this.#save({ objectName, step: 'records', after: '' });
    await this.run(objectNames);
  }

  /** Ends after the slice under way. */
  stop(): void {
    this.#isStopped = true;
  }

  async #slice(progress: Progress): Promise<Progress> {
    const { store } = this.#parts;
    const { refs, next } = await this.#nextSlice(progress);
    await store.around(async () => {
      for (const ref of refs) store.touch(ref);
      await this.#save(next);
    });
    return next;
  }

  async #nextSlice(progress: Progress): Promise<{ readonly refs: readonly RecordRef[]; readonly next: Progress }> {
    const { objectName, step, after } = progress;
    if (step === 'records') {
      const rows = await this.#rowsAfter(objectName, after);
      const refs = rows.map(({ id }) => ({ objectName, recordId: String(id) }));
      const last = rows.at(-1);
      return {
        refs,
        next: last ? { ...progress, after: String(last.id) } : { objectName, step: 'feed', after: digits(0) },
      };
    }
    const { records } = await this.#parts.store.page({
      after: Number(after),
      limit: SLICE_RECORDS,
      objects: [objectName],
    });
    const last = records.at(-1);
    return {
      refs: records.filter(({ data }) => data !== null).map(({ recordId }) => ({ objectName, recordId })),
      next: last ? { ...progress, after: digits(last.place) } : { objectName, step: 'done', after: '' },
    };
  }

  #rowsAfter(objectName: string, last: string): Promise<readonly EngineRow[]> {
    // The smallest greater text that the engine does not take for a placeholder.
    const after = isPlaceholderId(last) ? `${last} ` : last;
    return this.#parts.engine.find(
      objectName,
      {
        ...(after === '' ? {} : { where: { id: { $gt: after } } }),
        fields: ['id'],
        orderBy: [{ field: 'id', order: 'asc' }],
        limit: SLICE_RECORDS,
      },
      { context: AS_SYSTEM },
    );
  }

  async #read(objectName: string): Promise<Progress> {
    const query = { where: { id: rowId(objectName) } };
    const row = await this.#parts.engine.findOne(ENROLMENTS, query, { context: AS_SYSTEM });
    if (row?.shape !== this.#shapeOf(objectName)) return { objectName, step: 'records', after: '' };
    // Casts: these rows are written below and nowhere else.
    return { objectName, step: row.step as Step, after: (row.after ?? '') as string };
  }

  async #save({ objectName, step, after }: Progress): Promise<void> {
    const { engine } = this.#parts;
    const id = rowId(objectName);
    const row = { id, object_name: objectName, step, after, shape: this.#shapeOf(objectName) };
    const options = { context: AS_SYSTEM };
    if (await engine.findOne(ENROLMENTS, { where: { id } }, options)) await engine.update(ENROLMENTS, row, options);
    else await engine.insert(ENROLMENTS, row, options);
  }

  /**
   * A digest of the definitions that decide how records read. When it changes, even unchanged records may read
   * differently: a new field's default was filled in, or a type or formula was changed. It is taken once, at the start:
   * if a plugin adds fields later, as it does each time, all records would be compared at every start.
   */
  #shapeOf(objectName: string): string {
    const known = this.#shapeByObject.get(objectName);
    if (known !== undefined) return known;
    const fields = Object.entries(this.#parts.engine.registry.getObject(objectName)?.fields ?? {});
    const shapes = fields.map(([name, field]) => {
      const { type, multiple, expression, scale } = (field ?? {}) as Readonly<Record<string, unknown>>;
      return JSON.stringify([name, type, multiple, expression, scale]);
    });
    const shape = rowId(shapes.toSorted().join());
    this.#shapeByObject.set(objectName, shape);
    return shape;
  }
}
