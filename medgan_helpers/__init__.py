"""Helpers of the MedGAN course. A file holds one idea, a folder an idea of several files.

Imports point one way, from the end of this list to its beginning: profiles, artifacts, chexpert, images,
simulator, slabs, session, display, tomography, degradation, restoration, training, augmentation, diffaugment,
local_contrast, dcgan, pix2pix, restorers, stargan, lesion_gan, classifier, metrics, repair_trial, cam,
experiments, paper_faults, reader_study, figures, exercises.
"""

__version__ = "0.1.0"
