/** Whether the user has allowed the microphone; some browsers do not tell. */

const MICROPHONE = { name: /** @type {PermissionName} */ ('microphone') };

export async function microphoneIsGranted() {
  try {
    return (await navigator.permissions.query(MICROPHONE)).state === 'granted';
  } catch {
    return false;
  }
}

/** @param {() => void} granted Called whenever the permission turns into "granted". */
export async function onMicrophoneGranted(granted) {
  try {
    const status = await navigator.permissions.query(MICROPHONE);
    status.addEventListener('change', () => {
      if (status.state === 'granted') granted();
    });
  } catch {
    // Then the button beside the message does it.
  }
}
