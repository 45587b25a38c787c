/** A title that is renamed in place: text, and a field while it is being renamed. */
import { type KeyboardEvent, useEffect, useEffectEvent, useRef, useState } from 'react';

interface TaskTitleProps {
  readonly title: string;
  readonly onRename: (title: string) => void;
}

export function TaskTitle({ title, onRename }: TaskTitleProps) {
  const [isRenaming, setIsRenaming] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const takesFocus = useRef(false);

  // Whoever ended by keyboard goes on from the title; a click elsewhere has put the focus where it belongs.
  useEffect(() => {
    if (!isRenaming && takesFocus.current) button.current?.focus();
    takesFocus.current = false;
  }, [isRenaming]);

  if (!isRenaming) {
    return (
      <button
        ref={button}
        type="button"
        className="task-title"
        aria-label={`${title}, rename`}
        onClick={() => setIsRenaming(true)}
      >
        {title}
      </button>
    );
  }
  const end = (renamed: string, isByKeyboard: boolean) => {
    takesFocus.current = isByKeyboard;
    setIsRenaming(false);
    const trimmed = renamed.trim();
    if (trimmed !== '' && trimmed !== title) onRename(trimmed);
  };
  return <TitleField title={title} onEnd={end} />;
}

interface TitleFieldProps {
  readonly title: string;
  readonly onEnd: (title: string, isByKeyboard: boolean) => void;
}

/** Enter and leaving keep the new title, Escape the old one. Until something is typed, it shows what other devices make of it. */
function TitleField({ title, onEnd }: TitleFieldProps) {
  const [typed, setTyped] = useState<string>();
  const draft = typed ?? title;
  const field = useRef<HTMLInputElement>(null);
  const isEnded = useRef(false);

  const end = (renamed: string, isByKeyboard: boolean) => {
    // Taking the field away blurs it once more.
    if (isEnded.current) return;
    isEnded.current = true;
    onEnd(renamed, isByKeyboard);
  };
  // The task may be deleted elsewhere while a title is typed: recording it then tells the user.
  const keepTyped = useEffectEvent(() => {
    if (typed !== undefined) end(typed, false);
  });
  useEffect(() => {
    field.current?.focus();
    return () => keepTyped();
  }, []);

  const onKeyDown = (event: KeyboardEvent) => {
    // Of whoever picks a word from an input method, as in Japanese, Enter takes the word, and Escape goes back.
    if (event.nativeEvent.isComposing) return;
    if (event.key !== 'Enter' && event.key !== 'Escape') return;
    // Enter would also press the button that takes the field's place.
    event.preventDefault();
    end(event.key === 'Enter' ? draft : title, true);
  };
  return (
    <input
      ref={field}
      className="task-title"
      aria-label={`New title of ${title}`}
      value={draft}
      onChange={(event) => setTyped(event.target.value)}
      onBlur={() => end(draft, false)}
      onKeyDown={onKeyDown}
    />
  );
}
