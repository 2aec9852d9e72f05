"""Helpers of the MedGAN course. A file holds one idea, a folder an idea of several files.

Imports point one way, from the end of this list to its beginning: profiles, artifacts, chexpert, images,
simulator, session, display, degradation, restoration, training, augmentation, diffaugment, local_contrast,
dcgan, pix2pix, stargan, lesion_gan, flow, classifier, metrics, cam, experiments, paper_faults, reader_study,
figures, exercises.
"""

__version__ = "0.1.0"
