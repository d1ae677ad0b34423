/** All that a studio consists of, defined when it is opened for the first time (ag_studio.js). */

import { AgChorus } from './ag_chorus.js';
import { AgCompressor } from './ag_compressor.js';
import { AgDelay } from './ag_delay.js';
import { AgEqualiser } from './ag_equaliser.js';
import { AgGate } from './ag_gate.js';
import { AgInput } from './ag_input.js';
import { AgLimiter } from './ag_limiter.js';
import { AgPlace } from './ag_place.js';
import { AgReverb } from './ag_reverb.js';
import { AgSight } from './ag_sight.js';
import { AgStudioPanel } from './ag_studio_panel.js';
import { AgCompressorPlot } from './compressor_plot.js';
import { AgCorrelation } from './correlation_bar.js';
import { AgEqPlot } from './eq_plot.js';
import { AgGatePlot } from './gate_plot.js';
import { AgLevelHistory } from './level_history.js';
import { AgReduction } from './reduction_bar.js';
import { AgSpectrogram } from './spectrogram.js';

const ELEMENTS = {
  'ag-reduction': AgReduction,
  'ag-correlation': AgCorrelation,
  'ag-eq-plot': AgEqPlot,
  'ag-gate-plot': AgGatePlot,
  'ag-compressor-plot': AgCompressorPlot,
  'ag-level-history': AgLevelHistory,
  'ag-spectrogram': AgSpectrogram,
  'ag-input': AgInput,
  'ag-gate': AgGate,
  'ag-compressor': AgCompressor,
  'ag-equaliser': AgEqualiser,
  'ag-limiter': AgLimiter,
  'ag-place': AgPlace,
  'ag-chorus': AgChorus,
  'ag-delay': AgDelay,
  'ag-reverb': AgReverb,
  'ag-sight': AgSight,
  'ag-studio-panel': AgStudioPanel,
};
for (const [tag, element] of Object.entries(ELEMENTS)) customElements.define(tag, element);
