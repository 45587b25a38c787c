/** The page: this device, beside it a second one to play with, and below what can be tried. */
import { useEffect, useState } from 'react';
import { AttemptProvider, useAttempt } from './attempt.js';
import { type Device, openDevice } from './device.js';
import { DevicePane } from './device-pane.js';
import { Icon } from './icon.js';
import { InspectorPane } from './inspector-pane.js';
import { TryIt } from './try-it.js';
import { UpdateNotice } from './update-notice.js';
import { useRemembered } from './use-remembered.js';

export function App({ device }: { readonly device: Device }) {
  const [hasSecond, setHasSecond] = useRemembered('second-device', window.innerWidth >= 900);
  const [isInspecting, setIsInspecting] = useRemembered('inspector', false);
  return (
    <>
      <header className="top">
        <h1>
          <Icon name="check" /> Todo
        </h1>
        <div className="top-actions">
          <ToggleButton isOn={hasSecond} onToggle={() => setHasSecond(!hasSecond)}>
            Second device
          </ToggleButton>
          <ToggleButton isOn={isInspecting} onToggle={() => setIsInspecting(!isInspecting)}>
            Inspector
          </ToggleButton>
        </div>
      </header>
      <AttemptProvider>
        <UpdateNotice />
        <main className={hasSecond ? 'panes two' : 'panes'}>
          <DevicePane device={device} />
          {hasSecond && <SecondDevice />}
        </main>
        {isInspecting && <InspectorPane sync={device.sync} />}
      </AttemptProvider>
      <footer>
        <TryIt hasSecond={hasSecond} />
      </footer>
    </>
  );
}

interface ToggleButtonProps {
  readonly isOn: boolean;
  readonly onToggle: () => void;
  readonly children: string;
}

function ToggleButton({ isOn, onToggle, children }: ToggleButtonProps) {
  return (
    <button type="button" className="quiet" aria-pressed={isOn} onClick={onToggle}>
      {children}
    </button>
  );
}

/** Another device on the same screen: nothing is shared with the first but the server. */
function SecondDevice() {
  const [device, setDevice] = useState<Device>();
  const attempt = useAttempt();
  useEffect(() => {
    const opened = openDevice({ name: 'Second device', storage: 'todo-second' });
    setDevice(opened);
    // Fails where something could not be stored.
    return () => attempt(() => opened.sync.close());
  }, [attempt]);
  return device && <DevicePane device={device} />;
}
